package contest

import (
	"fmt"
	"runtime"

	"github.com/dustin/go-humanize"

	"github.com/parley-im/parley/benchmarks/compare/internal/parley"
	"github.com/parley-im/parley/benchmarks/compare/internal/peer"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// batch is how many proposals a batch has: as many as one may have.
const batch = 1000

// members is how many each conversation has.
const members = 2

// rate is the figure that most sides have.
const rate = "rate"

// All returns the comparisons at a size, in the order of the table.
func All(s Size) []Comparison {
	return []Comparison{
		batchedVsSend(s), batchedUniformVsStock(s), singleHotVsSend(s), singleUniformVsStock(s), askVsFuture(s),
		committedVsBadger(s), groupCommitVsTxn(s), heapVsStock(s), gcVsStock(s), p99VsStock(s), scale(s),
		reapVsBadger(s), reapingP99VsQuiet(s), wireVsRedis(s), overloadP99VsNominal(s),
	}
}

func count(n int) string { return humanize.Comma(int64(n)) }

// hot is a load on hot conversations among the active ones, all of which were begun by the side itself.
func (s Size) hot(batch, callers int) side.Params {
	return side.Params{
		Known: s.Active, Active: s.Active * 2, Hot: s.Hot, Members: members, Callers: callers, Batch: batch, Window: s.Window,
	}
}

// uniform is a load on all conversations, of which the usual bound of the engine's lets some be active.
func (s Size) uniform(known, batch, callers int) side.Params {
	return side.Params{Known: known, Active: s.Active, Members: members, Callers: callers, Batch: batch, Window: s.Window}
}

func (s Size) stock(known, callers int) side.Params {
	return side.Params{Known: known, Members: members, Callers: callers, Window: s.Window}
}

// few is how many callers propose in batches.
func few() int { return 2 * runtime.GOMAXPROCS(0) }

func batchedVsSend(s Size) Comparison {
	return Comparison{
		Name:    "batched_vs_send",
		What:    fmt.Sprintf("batched proposals/s, applied, %s hot of %s active", count(s.Hot), count(s.Active)),
		Against: "raw protoactor Send/s to one hot actor that counts",
		Note: fmt.Sprintf("%d callers of ProposeBatch, each waiting for the replies of its 1,000; on the other side one goroutine sends the same messages to one actor, which keeps "+
			"nothing. The engine's journal is written to a synced store meanwhile.", few()),
		Contenders: []Contender{
			{Side: "parley.posts", Params: s.hot(batch, few())},
			{Side: "actor.sends", Params: s.hot(0, 1)},
		},
		Main: Ratio{Ours: Figure{0, rate}, Theirs: Figure{1, rate}, Reach: 0.5},
	}
}

func batchedUniformVsStock(s Size) Comparison {
	return Comparison{
		Name:    "batched_uniform_vs_stock",
		What:    fmt.Sprintf("batched proposals/s, applied, %s known, uniform, %s active at most", count(s.Known), count(s.Active)),
		Against: fmt.Sprintf("a stock actor for each of %s conversations, uniform", count(s.Known)),
		Note:    "The stock actors keep what was said last, and all are in memory; the engine keeps members, unread counts and lists as well, and writes them to a synced store. Those that are not active are packed, and up to 256 MiB may wait for the store, for up to 30 seconds, which is what a crash takes back. A round begins when the store has nothing to do: what it writes and compacts afterwards is in the figure beside.",
		Contenders: []Contender{
			{Side: "parley.posts", Params: s.uniform(s.Known, batch, few()), Fixture: true},
			{Side: "stock.posts", Params: s.stock(s.Known, 2)},
		},
		Main: Ratio{Ours: Figure{0, rate}, Theirs: Figure{1, rate}, Reach: 6},
		Beside: []Ratio{
			{Label: "until all dirty rows are flushed", Ours: Figure{0, "flushed"}, Theirs: Figure{1, rate}},
			{Label: "memory resident at most", Ours: Figure{0, "peak"}, Theirs: Figure{1, "peak"}, Unit: Bytes, AtMost: true},
		},
	}
}

func singleHotVsSend(s Size) Comparison {
	return Comparison{
		Name:    "single_hot_vs_send",
		What:    fmt.Sprintf("single proposals/s, applied, %s hot of %s active", count(s.Hot), count(s.Active)),
		Against: "raw protoactor Send/s to one hot actor that counts",
		Note:    "One goroutine on either side, at most 4,096 messages under way. The engine is proposed to by ProposeFunc, with a func that counts.",
		Contenders: []Contender{
			{Side: "parley.posts", Params: s.hot(0, 1)},
			{Side: "actor.sends", Params: s.hot(0, 1)},
		},
		Main: Ratio{Ours: Figure{0, rate}, Theirs: Figure{1, rate}, Reach: 0.4},
	}
}

func singleUniformVsStock(s Size) Comparison {
	return Comparison{
		Name:    "single_uniform_vs_stock",
		What:    fmt.Sprintf("single proposals/s, applied, %s known, uniform, %s active at most", count(s.Known), count(s.Active)),
		Against: fmt.Sprintf("a stock actor for each of %s conversations, uniform", count(s.Known)),
		Note:    "Two goroutines on either side, at most 4,096 messages under way; otherwise as batched_uniform_vs_stock.",
		Contenders: []Contender{
			{Side: "parley.posts", Params: s.uniform(s.Known, 0, 2), Fixture: true},
			{Side: "stock.posts", Params: s.stock(s.Known, 2)},
		},
		Main: Ratio{Ours: Figure{0, rate}, Theirs: Figure{1, rate}, Reach: 2},
		Beside: []Ratio{
			{Label: "until all dirty rows are flushed", Ours: Figure{0, "flushed"}, Theirs: Figure{1, rate}},
		},
	}
}

func askVsFuture(s Size) Comparison {
	const asked = 1000
	ours, theirs := s.hot(0, 1), s.stock(asked, 1)
	ours.Hot = min(s.Hot, asked)
	return Comparison{
		Name:    "ask_vs_future",
		What:    fmt.Sprintf("propose-and-reply latency, applied, %s hot of %s active", count(ours.Hot), count(s.Active)),
		Against: fmt.Sprintf("protoactor RequestFuture to %s stock actors", count(asked)),
		Note:    "One caller, which waits for each reply before the next.",
		Contenders: []Contender{
			{Side: "parley.asks", Params: ours},
			{Side: "stock.asks", Params: theirs},
		},
		Main: Ratio{Ours: Figure{0, "took"}, Theirs: Figure{1, "took"}, Unit: Nanoseconds, Reach: 0.3, AtMost: true},
	}
}

func committedVsBadger(s Size) Comparison {
	params := side.Params{Known: s.Commit, Active: 2 * s.Commit, Members: members, Callers: few(), Batch: batch, Window: s.Window}
	return Comparison{
		Name:    "committed_vs_badger",
		What:    fmt.Sprintf("distinct conversations committed/s, one post to each of %s", count(s.Commit)),
		Against: "raw synced Badger batches of the same rows",
		Note:    "The rows are those that the engine was seen to write, in batches of 4,096, each on disk before the next.",
		Contenders: []Contender{
			{Side: "parley.commits", Params: params},
			{Side: "badger.batches", Params: params},
		},
		Main:   Ratio{Ours: Figure{0, rate}, Theirs: Figure{1, rate}, Reach: 0.8},
		Beside: []Ratio{{Label: "until all of it is in Badger, and not in the log alone", Ours: Figure{0, "stored"}, Theirs: Figure{1, rate}}},
	}
}

func groupCommitVsTxn(s Size) Comparison {
	params := func(callers int) side.Params {
		return side.Params{Known: s.Commit, Active: 2 * s.Commit, Members: members, Callers: callers, Window: s.Window}
	}
	return Comparison{
		Name:    "group_commit_vs_txn",
		What:    "committed proposals/s, 64 callers",
		Against: "one synced Badger transaction for each proposal's rows, 64 callers",
		Note:    "Each caller waits for its proposal, or its transaction, before the next.",
		Contenders: []Contender{
			{Side: "parley.callers", Params: params(64)},
			{Side: "badger.transactions", Params: params(64)},
			{Side: "parley.callers", Params: params(512)},
			{Side: "badger.transactions", Params: params(512)},
		},
		Main:   Ratio{Ours: Figure{0, rate}, Theirs: Figure{1, rate}, Reach: 10},
		Beside: []Ratio{{Label: "512 callers", Ours: Figure{2, rate}, Theirs: Figure{3, rate}, Reach: 20}},
	}
}

func heapVsStock(s Size) Comparison {
	params := side.Params{Known: s.Stateful, Members: members}
	return Comparison{
		Name:    "heap_vs_stock",
		What:    fmt.Sprintf("heap for each of %s active conversations", count(s.Stateful)),
		Against: "stock actor with the same state",
		Note: "The same state is the engine's own: head, tail, roster and the membership of who posts. The engine also has the conversation's cell and its queue; on both sides the " +
			"rows come from a store in memory, which is left out.",
		Contenders: []Contender{
			{Side: "parley.heap", Params: params},
			{Side: "stock.stateful", Params: params},
			{Side: "stock.idle", Params: s.stock(s.Stateful, 1)},
		},
		Main: Ratio{Ours: Figure{0, "heap"}, Theirs: Figure{1, "heap"}, Unit: Bytes, Reach: 0.7, AtMost: true},
		Beside: []Ratio{
			{Label: "stock actor that keeps only what was said last", Ours: Figure{0, "heap"}, Theirs: Figure{2, "heap"}, Unit: Bytes, AtMost: true},
		},
	}
}

func gcVsStock(s Size) Comparison {
	ours := func(active int) side.Params { return side.Params{Known: s.Known, Active: active, Members: members} }
	fewer := s.Active / 100
	return Comparison{
		Name:    "gc_vs_stock",
		What:    fmt.Sprintf("full collection, %s known, %s active", count(s.Known), count(s.Active)),
		Against: fmt.Sprintf("%s stock actors", count(s.Known)),
		Note:    "The time of runtime.GC on an idle process, the caches of the store included.",
		Contenders: []Contender{
			{Side: "parley.resident", Params: ours(s.Active), Fixture: true},
			{Side: "stock.idle", Params: s.stock(s.Known, 1)},
			{Side: "parley.resident", Params: ours(fewer), Fixture: true, Rounds: s.BesideIn},
			{Side: "stock.idle", Params: s.stock(s.Active, 1), Rounds: s.BesideIn},
		},
		Main: Ratio{Ours: Figure{0, "gc"}, Theirs: Figure{1, "gc"}, Unit: Milliseconds, Reach: 0.15, AtMost: true},
		Beside: []Ratio{
			{Label: fmt.Sprintf("as many known, %s active", count(fewer)), Ours: Figure{2, "gc"}, Theirs: Figure{1, "gc"}, Unit: Milliseconds, AtMost: true},
			{Label: fmt.Sprintf("%s stock actors", count(s.Active)), Ours: Figure{0, "gc"}, Theirs: Figure{3, "gc"}, Unit: Milliseconds, AtMost: true},
		},
	}
}

func p99VsStock(s Size) Comparison {
	ours, theirs := s.uniform(s.Known, 0, 1), s.stock(s.Known, 1)
	ours.Rate, theirs.Rate = s.Rate, s.Rate
	return Comparison{
		Name:    "p99_vs_stock",
		What:    fmt.Sprintf("p99 at %s proposals/s, applied, %s known, uniform, two collections forced in the window", count(s.Rate), count(s.Known)),
		Against: fmt.Sprintf("%s stock actors", count(s.Known)),
		Note: "Open load: latency runs from when a message was due, so that what stalls counts for all that came meanwhile. One that is refused counts as the whole window. The engine " +
			fmt.Sprintf("has %s active at most, so that most proposals find their conversation passive. What the load alone has, which a goroutine answers at once, is the machine's: neither side can have less.", count(s.Active)),
		Contenders: []Contender{
			{Side: "parley.steady", Params: ours, Fixture: true},
			{Side: "stock.steady", Params: theirs},
			{Side: "load.answered", Params: theirs},
		},
		Main: Ratio{Ours: Figure{0, "p99"}, Theirs: Figure{1, "p99"}, Unit: Milliseconds, Reach: 0.05, AtMost: true},
		Beside: []Ratio{
			{Label: "p50", Ours: Figure{0, "p50"}, Theirs: Figure{1, "p50"}, Unit: Milliseconds, AtMost: true},
			{Label: "neither: the load alone, answered at once", Ours: Figure{2, "p99"}, Theirs: Figure{1, "p99"}, Unit: Milliseconds, AtMost: true},
		},
	}
}

func scale(s Size) Comparison {
	few := few()
	hotOf := func(known int) side.Params {
		p := s.uniform(known, batch, few)
		p.Hot = s.Hot
		return p
	}
	return Comparison{
		Alone:   true,
		Name:    "scale_5m_vs_100k",
		What:    fmt.Sprintf("batched proposals/s, applied, %s known, uniform", count(s.Scale)),
		Against: fmt.Sprintf("the same with %s known", count(s.Active)),
		Note:    fmt.Sprintf("%s may be active at most: with as many known, all are; with more, most proposals find their conversation passive.", count(2*s.Active)),
		Contenders: []Contender{
			{Side: "parley.posts", Params: wide(s.uniform(s.Scale, batch, few)), Fixture: true},
			{Side: "parley.posts", Params: wide(s.uniform(s.Active, batch, few)), Fixture: true},
			{Side: "parley.posts", Params: wide(hotOf(s.Scale)), Fixture: true, Rounds: s.BesideIn},
			{Side: "parley.posts", Params: wide(hotOf(s.Active)), Fixture: true, Rounds: s.BesideIn},
		},
		Main: Ratio{Ours: Figure{0, rate}, Theirs: Figure{1, rate}, Reach: 0.6},
		Beside: []Ratio{
			{Label: fmt.Sprintf("%s hot ones of as many", count(s.Hot)), Ours: Figure{2, rate}, Theirs: Figure{3, rate}},
		},
	}
}

// wide leaves the shards room, so that as many as are meant can be active: each bounds its own, and they are not all alike.
func wide(p side.Params) side.Params {
	p.Active *= 2
	return p
}

func reapVsBadger(s Size) Comparison {
	params := side.Params{Expire: s.Reap, Members: members}
	return Comparison{
		Name:    "reap_vs_badger",
		What:    fmt.Sprintf("conversations reaped/s, unpaced, %s at once", count(s.Reap)),
		Against: "raw Badger batch deletes of the same rows in the same chunks",
		Note: "Batches of 500 rows, raw each on disk before the next; of the reaper's, two may share a transaction. The reaper also judges each conversation, guards each row by its generation, publishes an event, leaves a tombstone and " +
			"tells each member's devices.",
		Contenders: []Contender{
			{Side: "parley.reap", Params: params},
			{Side: "badger.deletes", Params: params},
		},
		Main: Ratio{Ours: Figure{0, rate}, Theirs: Figure{1, rate}, Reach: 0.8},
	}
}

func reapingP99VsQuiet(s Size) Comparison {
	felt := func(rate int, variant string) side.Params {
		return side.Params{Rate: rate, Expire: s.Expire, Window: s.Phase, Members: members, Variant: variant}
	}
	inline := side.Params{Rate: s.Inline, Expire: s.Doomed, Members: members, Window: s.Phase / 2}
	ratio := func(contender int, label string) Ratio {
		return Ratio{Label: label, Ours: Figure{contender, "during"}, Theirs: Figure{contender, "quiet"}, Unit: Milliseconds, AtMost: true}
	}
	main := ratio(0, "")
	main.Reach = 1.5
	less := ratio(1, fmt.Sprintf("at %s/s", count(s.FeltLess)))
	less.Reach = 4
	return Comparison{
		Alone:   true,
		Name:    "reaping_p99_vs_quiet",
		What:    fmt.Sprintf("propose p99, committed, at %s/s while %s conversations/s expire", count(s.Felt), count(s.Expire)),
		Against: "the quiet p99, just before",
		Note: fmt.Sprintf("Open load, in batches each 5 ms. Inline is another design, with the same rows on the same store: at %s proposals/s, applied, who proposes deletes, while %s "+
			"conversations expire at one moment.", count(s.Inline), count(s.Doomed)),
		Contenders: []Contender{
			{Side: "parley.felt", Params: felt(s.Felt, "")},
			{Side: "parley.felt", Params: felt(s.FeltLess, ""), Rounds: s.BesideIn},
			{Side: "parley.felt", Params: felt(s.Felt, parley.Unpaced), Rounds: s.BesideIn},
			{Side: "parley.felt", Params: felt(s.FeltLess, parley.Unpaced), Rounds: s.BesideIn},
			{Side: "parley.inline", Params: inline, Rounds: s.BesideIn},
		},
		Main:   main,
		Beside: []Ratio{less, ratio(2, "unpaced"), ratio(3, fmt.Sprintf("unpaced, at %s/s", count(s.FeltLess))), ratio(4, fmt.Sprintf("inline, at %s/s", count(s.Inline)))},
	}
}

func wireVsRedis(s Size) Comparison {
	params := side.Params{Known: s.Wire, Members: members, Callers: 8, Batch: 200, Window: s.Window}
	always := params
	always.Variant = peer.SyncAlways
	return Comparison{
		Name:    "wire_vs_redis",
		What:    fmt.Sprintf("proposals/s over loopback, batches of 200, committed and fsynced, %s known, uniform", count(s.Wire)),
		Against: "go-redis pipelines of 200 HSET+EXPIRE, AOF everysec",
		Note:    "Eight callers on either side. What Parley has answered is on disk; what this Redis has answered may be lost for a second.",
		Contenders: []Contender{
			{Side: "parley.wire", Params: params, Program: EngineProgram},
			{Side: "redis.hashes", Params: params, Program: RedisProgram},
			{Side: "redis.hashes", Params: always, Program: RedisProgram, Rounds: s.BesideIn},
		},
		Main:   Ratio{Ours: Figure{0, rate}, Theirs: Figure{1, rate}, Reach: 1},
		Beside: []Ratio{{Label: "AOF always: each answer is on disk on either side", Ours: Figure{0, rate}, Theirs: Figure{2, rate}}},
	}
}

func overloadP99VsNominal(s Size) Comparison {
	offered := func(known int, variant string) side.Params {
		return side.Params{Known: known, Window: s.Phase, Wait: s.Wait, Variant: variant}
	}
	ratio := func(contender int, label string) Ratio {
		return Ratio{Label: label, Ours: Figure{contender, "over"}, Theirs: Figure{contender, "nominal"}, Unit: Milliseconds, Reach: 3, AtMost: true}
	}
	return Comparison{
		Alone:   true,
		Name:    "overload_p99_vs_nominal",
		What:    fmt.Sprintf("p99 of accepted proposals at twice the capacity, applied, %s hot ones", count(s.Hot)),
		Against: "the p99 at six tenths of the capacity",
		Note: fmt.Sprintf("The capacity is found in each round, by one goroutine with 8,192 proposals unanswered at most. Then the load is open, by one goroutine as well. The bounds are what the engine did in %v: "+
			"max_queue and max_queued_bytes, and max_journal_bytes where proposals are committed. Times are from when a proposal was made: the goroutine that makes them shares the processors "+
			"with the engine. Those beyond the bounds are refused with a hint when to try again.", s.Wait),
		Contenders: []Contender{
			{Side: "parley.overload", Params: offered(s.Hot, "")},
			{Side: "parley.overload", Params: offered(1, "")},
			{Side: "parley.overload", Params: offered(s.Hot, parley.Committed), Rounds: s.BesideIn},
			{Side: "parley.overload", Params: offered(1, parley.Committed), Rounds: s.BesideIn},
		},
		Main: ratio(0, ""),
		Beside: []Ratio{
			ratio(1, "to a single conversation"),
			ratio(2, "committed"),
			ratio(3, "committed, to a single conversation"),
			{Label: "p99 until a refusal, over a millisecond", Ours: Figure{0, "turned"}, Theirs: Figure{0, "limit"}, Unit: Milliseconds, Reach: 1, AtMost: true},
			{Label: "memory resident in the last third of that time, over the first", Ours: Figure{0, "last"}, Theirs: Figure{0, "first"}, Unit: Bytes, Reach: 1.1, AtMost: true},
		},
	}
}
