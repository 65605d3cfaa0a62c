package actors

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
)

// Config sets an engine up. The zero value runs: nothing expires, and every bound has its default.
type Config struct {
	// Default is the policy of namespaces that Namespaces does not name.
	Default conversation.Policy
	// Namespaces holds policies by namespace: the part of a conversation's name before the first colon.
	Namespaces map[string]conversation.Policy

	// Clock is where time comes from. nil: clock.System().
	Clock clock.Clock
	// Observer is told what the engine does. nil: nobody is. See [Observer] for what it may do.
	Observer *Observer

	// Workers is how many goroutines run conversations. 0: one for each processor Go uses.
	Workers int
	// Loaders is how many goroutines read rows for conversations that become active. 0: four for each worker.
	Loaders int

	// MaxActive bounds the conversations that are in memory as actors. Beyond it, some passivate: first those that were hardly used since they became active, so that a great many
	// which are used once do not drive out those in daily use. It is kept by each shard for its own part, so a few more may be active at a moment. 0: 100,000.
	MaxActive int
	// MaxPackedBytes bounds the memory in which conversations that are not active are kept packed, those that were of use last, so that what comes next reads nothing from the store:
	// for each its name, its latest preview, 200 bytes where it has two members, as much again once it was posted to, and one for each of its latest 256 messages. What is proposed to one of them is done
	// without an actor, which it gets once what is not a plain post comes often. Active ones lie packed between posts in memory of their own, half a kilobyte for each that MaxActive allows. 0: 64 MiB;
	// negative: none are kept once they are not active, and each that something is proposed to gets an actor.
	MaxPackedBytes int
	// MemoryLimit is how many bytes the process should take. As what it needs gets near that, garbage not counted, fewer conversations than MaxActive may be active, and less may be packed,
	// down to a sixty-fourth; where there is room again, more: see Stats.Cells and Observer.Bounded. 0: the runtime's limit (GOMEMLIMIT, debug.SetMemoryLimit), if there is one when the
	// engine starts; negative: it is not looked at.
	MemoryLimit int64
	// IdleAfter is how long a conversation stays in memory after its last proposal. 0: five minutes.
	IdleAfter time.Duration
	// MaxQueue bounds the proposals that wait for one conversation; more are refused with ErrOverloaded. 0: 1,024.
	MaxQueue int
	// MaxQueuedBytes bounds what waits for all conversations together, as conversation.Weight has it: beyond it proposals are refused with ErrOverloaded, whatever conversation they are for.
	// 0: 64 MiB, which is some hundred thousand posts.
	MaxQueuedBytes int

	// FlushInterval is how long a change that nobody waits for stays in memory alone: it is what a crash takes back of AckApplied. Where the store is busy with such changes, it is longer, so
	// that writing them takes no more than an eighth of the time and rows that change often are written seldom: up to MaxFlushInterval, and for as long as writing takes. A full batch
	// is flushed at once, and what waits for AckCommitted is made durable at once, in the store's log, and then rests for up to eight times as long while more of it comes. 0: 50 ms, and one
	// second, or FlushInterval where that is more.
	FlushInterval, MaxFlushInterval time.Duration
	// FlushRows is how many changed rows are a full batch. 0: 8,192.
	FlushRows int
	// MaxJournalBytes bounds the changed rows that are not in the store yet. At the bound, proposals are refused with ErrOverloaded; those accepted
	// already are still applied. 0: 256 MiB.
	MaxJournalBytes int

	// Reaper sets the reaper's batches and pace.
	Reaper ReaperConfig

	// EventsFor is how long the event of an expired generation is kept, and, where its namespace's TombstoneFor is 0, the tombstone that keeps a late repeat of an old post from
	// reviving it. 0: seven days.
	EventsFor time.Duration

	// WatchBuffer is how many Changed events are kept for watchers, in all: one that falls further behind is told of a gap. Larger ones, that name many users, have room for
	// fewer: it is also a bound of 256 bytes for each. They are kept only while somebody watches, and a while after that. 0: 65,536.
	WatchBuffer int

	// SyncHorizon is how long removals, and the entries of changes that were a user's alone, are kept for clients that ask what changed: an older cursor is answered with
	// everything anew. They are removed an hour or two later, by a pass over all users' that is made every thirtieth of the horizon, but not more often than every minute.
	// 0: thirty days.
	SyncHorizon time.Duration
	// BadgeConversations is how many of a user's conversations a badge counts at most, those active last. 0: 10,000.
	BadgeConversations int

	// CensusEvery is how long after one census of the store's rows the next begins: see [Census]. It reads everything, a little at a time, at a tenth of a core at most. 0 or
	// negative: there is none.
	CensusEvery time.Duration

	// Readers is how many lists, badges and answers to Sync are put together at the same time; others wait for their turn, in the order in which they came. Each may read the
	// store for a while and keeps a processor busy, or several, meanwhile. 0: a quarter of GOMAXPROCS, at least one.
	Readers int
	// ReadShare is the part of GOMAXPROCS that lists, badges and answers to Sync keep busy while others of them wait: after each half millisecond of work there is
	// a rest then, so that proposals are not felt to wait when every device asks at once, as after a restart. Who asks while nobody waits is not held up. A larger one answers
	// a crowd sooner; 1: there are no rests, where there are not more Readers than processors. 0: an eighth.
	ReadShare float64

	// MaxForgetting is how many users may be in the middle of being forgotten: see Engine.ForgetUser, which refuses further ones with ErrOverloaded. 0: 10,000.
	MaxForgetting int

	// MaxFailures is how often in a row a conversation may fail before it is quarantined: its proposals are refused with ErrQuarantined for
	// QuarantineFor, then it gets another chance. 0: 5.
	MaxFailures int
	// QuarantineFor is how long a quarantine lasts. 0: one minute.
	QuarantineFor time.Duration

	trap trap
}

// ReaperConfig sets the reaper's batches and pace.
type ReaperConfig struct {
	// BatchRows is how many rows a batch of deletions removes, roughly: a conversation's rows are not divided below this. Less while the store is slow; where deletions are later
	// than MaxLateness, up to four times as many. 0: 500.
	BatchRows int
	// BatchDelay is how long an expired generation may wait for others to share its batch. 0: 5 ms; negative: not at all.
	BatchDelay time.Duration
	// MinRowsPerSecond and MaxRowsPerSecond bound how fast rows of expired conversations are deleted. In between, the pace is steered by what proposals feel of it, and rises to the
	// maximum, whatever they feel, as deletions get late: see MaxLateness. The minimum is what is deleted in any case: where more than that expires all day, deletions are
	// late. What Config.SyncHorizon kept goes at a quarter of the minimum, at most; users are forgotten at the minimum, and changed policies applied. Equal, they are a fixed pace.
	// MinRowsPerSecond 0: 20,000, or the maximum where that is less. MaxRowsPerSecond 0: 200,000, or the minimum where that is more; negative: no pace at all.
	MinRowsPerSecond, MaxRowsPerSecond int
	// MaxLateness is how long after its deadline a generation may be deleted before the pace is the maximum, whatever proposals feel. From a tenth of it on the pace rises. It is no
	// promise where more expires than the maximum, or the machine, can delete. 0: one second.
	MaxLateness time.Duration
	// MaxPending bounds the generations that the reaper holds in memory, about half a kilobyte each; the rest waits in the due index. Up to 256 of them are being judged.
	// It is refilled when half of it is empty. 0: 4,096.
	MaxPending int
}

// Validate reports everything that is wrong with c, joined.
func (c *Config) Validate() error {
	var faults []error
	atLeastZero := func(name string, v int64) {
		if v < 0 {
			faults = append(faults, fmt.Errorf("%s: must not be negative, is %d", name, v))
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(c.Namespaces)) {
		policy := c.Namespaces[namespace]
		if err := policy.Validate(); err != nil {
			faults = append(faults, fmt.Errorf("policy of namespace %q: %w", namespace, err))
		}
	}
	if err := c.Default.Validate(); err != nil {
		faults = append(faults, fmt.Errorf("default policy: %w", err))
	}
	atLeastZero("Workers", int64(c.Workers))
	atLeastZero("Loaders", int64(c.Loaders))
	atLeastZero("MaxActive", int64(c.MaxActive))
	atLeastZero("IdleAfter", int64(c.IdleAfter))
	atLeastZero("MaxQueue", int64(c.MaxQueue))
	atLeastZero("MaxQueuedBytes", int64(c.MaxQueuedBytes))
	atLeastZero("FlushInterval", int64(c.FlushInterval))
	atLeastZero("MaxFlushInterval", int64(c.MaxFlushInterval))
	atLeastZero("FlushRows", int64(c.FlushRows))
	atLeastZero("MaxJournalBytes", int64(c.MaxJournalBytes))
	atLeastZero("EventsFor", int64(c.EventsFor))
	atLeastZero("WatchBuffer", int64(c.WatchBuffer))
	atLeastZero("SyncHorizon", int64(c.SyncHorizon))
	atLeastZero("BadgeConversations", int64(c.BadgeConversations))
	atLeastZero("Readers", int64(c.Readers))
	if !(c.ReadShare >= 0 && c.ReadShare <= 1) {
		faults = append(faults, fmt.Errorf("ReadShare: must be from 0 to 1, is %v", c.ReadShare))
	}
	atLeastZero("MaxForgetting", int64(c.MaxForgetting))
	atLeastZero("MaxFailures", int64(c.MaxFailures))
	atLeastZero("QuarantineFor", int64(c.QuarantineFor))
	atLeastZero("Reaper.BatchRows", int64(c.Reaper.BatchRows))
	atLeastZero("Reaper.MaxPending", int64(c.Reaper.MaxPending))
	atLeastZero("Reaper.MaxLateness", int64(c.Reaper.MaxLateness))
	atLeastZero("Reaper.MinRowsPerSecond", int64(c.Reaper.MinRowsPerSecond))
	if least, most := c.Reaper.MinRowsPerSecond, c.Reaper.MaxRowsPerSecond; most > 0 && least > most {
		faults = append(faults, fmt.Errorf("Reaper.MinRowsPerSecond: must not be above Reaper.MaxRowsPerSecond, %d, is %d", most, least))
	}
	return errors.Join(faults...)
}

// Effective returns c as an engine takes it: with every zero replaced by what it stands for.
func (c *Config) Effective() Config { return c.withDefaults() }

// withDefaults returns c with every zero replaced by what it stands for.
func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	if c.Observer == nil {
		c.Observer = &Observer{}
	}
	orElse(&c.Workers, runtime.GOMAXPROCS(0))
	orElse(&c.Loaders, 4*c.Workers)
	orElse(&c.MaxActive, 100_000)
	orElse(&c.MaxPackedBytes, 64<<20)
	orElse(&c.IdleAfter, 5*time.Minute)
	orElse(&c.MaxQueue, 1024)
	orElse(&c.MaxQueuedBytes, 64<<20)
	orElse(&c.FlushInterval, 50*time.Millisecond)
	orElse(&c.MaxFlushInterval, max(time.Second, c.FlushInterval))
	orElse(&c.FlushRows, 8_192)
	orElse(&c.MaxJournalBytes, 256<<20)
	orElse(&c.EventsFor, 7*24*time.Hour)
	orElse(&c.WatchBuffer, 65_536)
	orElse(&c.SyncHorizon, 30*24*time.Hour)
	orElse(&c.BadgeConversations, 10_000)
	orElse(&c.Readers, max(1, runtime.GOMAXPROCS(0)/4))
	orElse(&c.ReadShare, 1.0/8)
	orElse(&c.MaxForgetting, 10_000)
	orElse(&c.MaxFailures, 5)
	orElse(&c.QuarantineFor, time.Minute)
	orElse(&c.Reaper.BatchRows, 500)
	orElse(&c.Reaper.BatchDelay, 5*time.Millisecond)
	orElse(&c.Reaper.MaxRowsPerSecond, max(200_000, c.Reaper.MinRowsPerSecond))
	if c.Reaper.MaxRowsPerSecond > 0 {
		orElse(&c.Reaper.MinRowsPerSecond, min(20_000, c.Reaper.MaxRowsPerSecond))
	}
	orElse(&c.Reaper.MaxPending, 4096)
	orElse(&c.Reaper.MaxLateness, time.Second)
	return c
}

func orElse[T int | float64 | time.Duration](v *T, otherwise T) {
	if *v == 0 {
		*v = otherwise
	}
}

// policy returns the policy of a conversation's namespace.
func (c *Config) policy(namespace string) conversation.Policy {
	if policy, ok := c.Namespaces[namespace]; ok {
		return policy
	}
	return c.Default
}

// policies are those of a config that does not change any more, to be pointed to.
type policies struct {
	named    map[string]*conversation.Policy
	fallback *conversation.Policy
}

func (c *Config) policies() policies {
	p := policies{named: make(map[string]*conversation.Policy, len(c.Namespaces)), fallback: &c.Default}
	for namespace, policy := range c.Namespaces {
		p.named[namespace] = &policy
	}
	return p
}

func (p policies) of(namespace string) *conversation.Policy {
	if policy, ok := p.named[namespace]; ok {
		return policy
	}
	return p.fallback
}
