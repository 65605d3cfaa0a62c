package actors

import "hash/maphash"

// regulars count about how often each of a shard's conversations was of use lately, to tell those that an actor pays for. As in TinyLFU (Einziger et al., ACM Transactions on Storage 13,
// 2017) there is a small counter for a fingerprint, which several conversations may share, and all are halved from time to time: so they forget, and cost a few bytes for each conversation that
// may be active, however many are known. The zero value is empty.
type regulars struct {
	seed   maphash.Seed
	counts []uint8
	since  int // uses since they were halved last
}

const (
	// regularVisits is how many uses, within as many as there may be active conversations, make a regular: then an actor's spawn and end cost less than the visits that it saves.
	regularVisits = 4
	// regularCounters is how many counters there are for each conversation that may be active: few share one.
	regularCounters = 4
	// leastRegular is the least number of uses between two halvings.
	leastRegular = 64
)

// add counts a use, under a bound of so many active conversations.
func (r *regulars) add(name string, bound int) {
	bound = max(bound, leastRegular)
	if len(r.counts) != bound*regularCounters {
		*r = regulars{seed: maphash.MakeSeed(), counts: make([]uint8, bound*regularCounters)}
	}
	if r.since++; r.since > bound {
		r.since = 0
		for i := range r.counts {
			r.counts[i] /= 2
		}
	}
	if n := r.counter(name); *n < regularVisits {
		*n++
	}
}

// count returns how many uses there were lately; or a few more.
func (r *regulars) count(name string) int {
	if len(r.counts) == 0 {
		return 0
	}
	return int(*r.counter(name))
}

func (r *regulars) counter(name string) *uint8 {
	return &r.counts[maphash.String(r.seed, name)%uint64(len(r.counts))]
}
