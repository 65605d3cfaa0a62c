package contest

import (
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// Peer is a line of the table of what a user might pick instead: figures, and what is promised for them.
type Peer struct {
	Name string
	Note string // how it is used

	// Of the field's contenders, those that measured it; -1: none did.
	Rate, Steady, Heap int

	Crash  string // what the end of the process, or of the machine, takes back
	Expiry string // how exactly an expired conversation goes, and who is told
	Keeps  string // what it keeps of a conversation
}

// Field returns the peers and the contenders that measure them: all under the same uniform load on as many conversations.
func Field(s Size) ([]Peer, []Contender) {
	steady := func(p side.Params) side.Params { p.Rate = s.Rate; return p }
	few, known := few(), s.Peers
	plain := side.Params{Known: known, Members: members, Callers: 2, Window: s.Window}
	batched := plain
	batched.Batch, batched.Callers = 200, 8
	contenders := []Contender{
		0: {Side: "parley.posts", Params: s.uniform(known, batch, few), Fixture: true},
		1: {Side: "parley.steady", Params: steady(s.uniform(known, 0, 1)), Fixture: true},
		2: {Side: "parley.heap", Params: side.Params{Known: min(s.Stateful, known), Members: members}, Rounds: 1},
		3: {Side: "parley.wire", Params: batched, Program: EngineProgram},
		4: {Side: "stock.posts", Params: plain},
		5: {Side: "stock.steady", Params: steady(plain)},
		6: {Side: "map.sharded", Params: steady(plain)},
		7: {Side: "otter.cache", Params: steady(plain)},
		8: {Side: "badger.ttl", Params: batched},
		9: {Side: "redis.hashes", Params: batched, Program: RedisProgram},
	}
	return []Peer{
		{
			Name: "Parley, embedded", Note: "ProposeBatch of 1,000, applied; p99 of single proposals; heap of an active one", Rate: 0, Steady: 1, Heap: 2,
			Crash:  "applied: the last 50 ms or so; committed: nothing, it is on disk",
			Expiry: "judged with the newest state, deleted whole, in a durable event, once; held, pinned and unread conversations stay",
			Keeps:  "members, unread counts, lists, sync, badges; repeats and reorderings converge",
		},
		{
			Name: "Parley, over the wire", Note: "batches of 200, committed, Connect over loopback", Rate: 3, Steady: -1, Heap: -1,
			Crash: "nothing", Expiry: "as above", Keeps: "as above",
		},
		{
			Name: "stock protoactor, an actor for each", Note: "Send", Rate: 4, Steady: 5, Heap: 4,
			Crash: "everything", Expiry: "none: a timer for each, or a sweep, is to be built; stopping an actor loses what races with it", Keeps: "what was said last; all in memory for ever",
		},
		{
			Name: "mutex-sharded map, swept", Note: "two goroutines", Rate: 6, Steady: 6, Heap: 6,
			Crash: "everything", Expiry: "within a second, looking at everything each second under the locks that updates need; nobody is told", Keeps: "what was said last",
		},
		{
			Name: "otter v2, per-entry expiry", Note: "Compute, two goroutines", Rate: 7, Steady: 7, Heap: 7,
			Crash: "everything", Expiry: "a read never shows it; removed within a second or so, a listener in memory is told", Keeps: "what was said last",
		},
		{
			Name: "Badger, native TTL", Note: "batches of 200, fsynced", Rate: 8, Steady: -1, Heap: -1,
			Crash: "nothing", Expiry: "whole seconds of the wall clock, row by row; nobody is told, and the space stays until compaction", Keeps: "what was said last; a late repeat takes it back",
		},
		{
			Name: "Redis, HSET + EXPIRE", Note: "pipelines of 200, AOF everysec", Rate: 9, Steady: -1, Heap: 9,
			Crash: "the last second", Expiry: "a read never shows it; removed by sampling, minutes late among many; notifications are lost when nobody listens", Keeps: "what was said last; a late repeat takes it back",
		},
	}, contenders
}
