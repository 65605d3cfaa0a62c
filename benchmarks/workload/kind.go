package workload

import "slices"

// Kind is what a workload is like.
type Kind string

// The kinds.
const (
	// Zipf: few conversations get most of the proposals, as in any chat product: the n-th gets a share that falls with a power of n, Config.Skew.
	Zipf Kind = "zipf"
	// Uniform: all conversations get as many. It is the hardest on caches.
	Uniform Kind = "uniform"
	// Hot: nine of ten proposals go to a small set, Config.Hot, evenly, and the tenth to all others.
	Hot Kind = "hot"
	// Groups: conversations of thousands of members, all with as many proposals.
	Groups Kind = "groups"
	// Expiry: uniform, and in the second of three phases a mass of other conversations is over.
	Expiry Kind = "expiry"
	// Storm: uniform, and in the second of three phases users ask all at once what changed, as they do when a network comes back.
	Storm Kind = "storm"
	// Trace: who spoke where, in the order of a recorded trace, at a rate of one's own. From its end it goes on at its beginning.
	Trace Kind = "trace"
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{Zipf, Uniform, Hot, Groups, Expiry, Storm, Trace} }

// known reports whether there is such a kind.
func (k Kind) known() bool { return slices.Contains(Kinds(), k) }
