package contest

import "time"

// Size is how large the comparisons are.
type Size struct {
	Rounds int
	Window time.Duration // of a round
	Phase  time.Duration // of each part of one in which conversations expire

	Known    int // "1 M known"
	Active   int // "100 k active"
	Hot      int // "10 k hot"
	Scale    int // "5 M known"
	Commit   int // distinct conversations committed in a round
	Reap     int // conversations reaped in a round
	Stateful int // conversations whose heap is compared
	Wire     int // conversations behind the wire
	Peers    int // conversations of the table of peers

	Rate     int           // proposals a second where latency under load is compared
	Felt     int           // and where conversations expire beside
	FeltLess int           // and the lower rate beside that
	Expire   int           // conversations that expire a second
	Wait     time.Duration // that proposals should wait at most where too many are made
	Inline   int           // proposals a second where deletion is inline
	Doomed   int           // conversations that expire at once then
	BesideIn int           // rounds that measurements take part in which have no target; 0: all
}

// Full returns the sizes that the targets are about.
func Full() Size {
	return Size{
		Rounds: 5, Window: 2 * time.Second, Phase: 4 * time.Second,
		Known: 1_000_000, Active: 100_000, Hot: 10_000, Scale: 5_000_000, Commit: 50_000, Reap: 10_000, Stateful: 100_000, Wire: 100_000, Peers: 1_000_000,
		Rate: 100_000, Felt: 50_000, FeltLess: 20_000, Expire: 5_000, Inline: 20_000, Doomed: 10_000, BesideIn: 3, Wait: 10 * time.Millisecond,
	}
}

// Quick returns sizes at which everything is done in minutes. Where less is known than the targets are about, ratios flatter whoever suffers most from
// many conversations.
func Quick() Size {
	return Size{
		Rounds: 3, Window: 800 * time.Millisecond, Phase: time.Second,
		Known: 100_000, Active: 10_000, Hot: 5_000, Scale: 100_000, Commit: 10_000, Reap: 3_000, Stateful: 25_000, Wire: 20_000, Peers: 100_000,
		Rate: 100_000, Felt: 50_000, FeltLess: 20_000, Expire: 5_000, Inline: 20_000, Doomed: 2_000, BesideIn: 1, Wait: 10 * time.Millisecond,
	}
}

// Tiny returns sizes that show that everything works, and nothing else.
func Tiny() Size {
	return Size{
		Rounds: 1, Window: 30 * time.Millisecond, Phase: 100 * time.Millisecond,
		Known: 1_000, Active: 500, Hot: 100, Scale: 1_000, Commit: 600, Reap: 50, Stateful: 200, Wire: 200, Peers: 500,
		Rate: 2_000, Felt: 1_000, FeltLess: 500, Expire: 200, Inline: 500, Doomed: 50, Wait: 10 * time.Millisecond,
	}
}
