package replay

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/benchmarks/oracle"
	"github.com/parley-im/parley/persistence"
)

// The trace of these tests, at a retention of 10 s: conversation 1 has a generation that ends at 110 with message 1 and one that ends at 130
// with message 3; conversation 2 one that ends at 125; conversation 3 one that is alive until 145. The last message is sent at 135.
func expectation(t *testing.T) *oracle.Oracle {
	t.Helper()
	o, err := oracle.New(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	o.Message(1, 1, 100)
	o.Message(1, 2, 115)
	o.Message(2, 1, 115)
	o.Message(1, 3, 120)
	o.Message(3, 1, 130)
	o.Message(3, 2, 135)
	return o
}

func second(s int64) time.Time { return time.Unix(s, 0).UTC() }

func rightEnds() []ended {
	return []ended{
		{conversation: "trace:1", generation: 11, reason: persistence.ReasonExpired, lastSeq: 1, deadline: second(110)},
		{conversation: "trace:2", generation: 12, reason: persistence.ReasonExpired, lastSeq: 1, deadline: second(125)},
		{conversation: "trace:1", generation: 13, reason: persistence.ReasonExpired, lastSeq: 3, deadline: second(130), lateness: time.Second},
	}
}

func rightLeft() map[uint32]alive {
	return map[uint32]alive{3: {generation: 14, lastSeq: 2, expiresAt: second(145)}}
}

func TestWhatTheTraceSaysIsNoDifference(t *testing.T) {
	if v := compare(expectation(t), rightEnds(), rightLeft()); v != (verdict{}) {
		t.Errorf("got %+v, first %v", v, v.first)
	}
}

func TestEveryDifferenceIsCountedAndTheFirstIsNamed(t *testing.T) {
	type observed struct {
		ends []ended
		left map[uint32]alive
	}
	for name, test := range map[string]struct {
		change        func(o *observed)
		false, missed int
		first         string
	}{
		"a generation is not ended": {
			func(o *observed) { o.ends = o.ends[1:] }, 0, 1,
			"1970-01-01T00:01:50Z: trace:1: generation 1 of the trace ends at 1970-01-01T00:01:50Z with message 1, but the engine did not delete it",
		},
		"the last generation is not ended": {
			func(o *observed) { o.ends = o.ends[:2] }, 0, 1,
			"1970-01-01T00:02:10Z: trace:1: generation 2 of the trace",
		},
		"the last generation is not ended, and shown": {
			func(o *observed) { o.ends, o.left[1] = o.ends[:2], alive{13, 3, second(130)} }, 0, 1,
			"1970-01-01T00:02:10Z: trace:1: generation 2 of the trace",
		},
		"an ended generation is shown": {
			func(o *observed) { o.left[2] = alive{12, 1, second(125)} }, 0, 1,
			"1970-01-01T00:02:05Z: trace:2: expired at 1970-01-01T00:02:05Z, but the engine shows generation 12 with message 1",
		},
		"a generation is ended a microsecond early": {
			func(o *observed) { o.ends[1].deadline = second(125).Add(-time.Microsecond) }, 1, 0,
			"1970-01-01T00:02:04.999999Z: trace:2: generation 12 expired at 1970-01-01T00:02:04.999999Z with message 1, but in the trace it ends at 1970-01-01T00:02:05Z",
		},
		"a generation is ended a microsecond late": {
			func(o *observed) { o.ends[1].deadline = second(125).Add(time.Microsecond) }, 1, 0,
			"1970-01-01T00:02:05Z: trace:2: generation 12 expired at 1970-01-01T00:02:05.000001Z",
		},
		"a generation is deleted before its deadline": {
			func(o *observed) { o.ends[1].lateness = -time.Microsecond }, 1, 0,
			"1970-01-01T00:02:05Z: trace:2: generation 12 expired at 1970-01-01T00:02:05Z with message 1 and was deleted 1µs before",
		},
		"a generation is ended at another message": {
			func(o *observed) { o.ends[2].lastSeq = 2 }, 1, 1,
			"1970-01-01T00:02:10Z: trace:1: generation 13 expired at 1970-01-01T00:02:10Z with message 2, but in the trace no generation ends with that message",
		},
		"a generation is ended for another reason": {
			func(o *observed) { o.ends[0].reason = persistence.ReasonDeleted }, 1, 0,
			"1970-01-01T00:01:50Z: trace:1: generation 11 expired at 1970-01-01T00:01:50Z with message 1 with reason deleted, want expired",
		},
		"a generation is ended twice": {
			func(o *observed) { o.ends = append(o.ends, o.ends[1]) }, 1, 0,
			"1970-01-01T00:02:05Z: trace:2: generation 12 expired",
		},
		"a generation's number is used twice": {
			func(o *observed) { o.ends[2].generation = 11 }, 1, 0,
			"1970-01-01T00:02:10Z: trace:1: generation 11 expired at 1970-01-01T00:02:10Z with message 3, but generation 11 came before it",
		},
		"two generations are ended in the wrong order": {
			func(o *observed) { o.ends[0].generation, o.ends[2].generation = 13, 11 }, 1, 1,
			"1970-01-01T00:01:50Z: trace:1: generation",
		},
		"a living generation is ended": {
			func(o *observed) {
				o.ends = append(o.ends, ended{"trace:3", 14, persistence.ReasonExpired, 2, second(134), 0})
				delete(o.left, 3)
			}, 1, 0,
			"1970-01-01T00:02:14Z: trace:3: generation 14 expired at 1970-01-01T00:02:14Z with message 2, but in the trace it lives until 1970-01-01T00:02:25Z",
		},
		"a living generation is divided": {
			func(o *observed) {
				o.ends = append(o.ends, ended{"trace:3", 13, persistence.ReasonExpired, 1, second(134), 0})
			}, 1, 0,
			"1970-01-01T00:02:14Z: trace:3: generation 13 expired at 1970-01-01T00:02:14Z with message 1, but in the trace no generation ends",
		},
		"a living generation is not known": {
			func(o *observed) { delete(o.left, 3) }, 1, 0,
			"1970-01-01T00:02:25Z: trace:3: lives until 1970-01-01T00:02:25Z in the trace, but the engine does not know it",
		},
		"a living generation lacks a message": {
			func(o *observed) { o.left[3] = alive{14, 1, second(145)} }, 1, 0,
			"1970-01-01T00:02:25Z: trace:3: the engine shows message 1 as its last, the trace has 2",
		},
		"a living generation would end early": {
			func(o *observed) { o.left[3] = alive{14, 2, second(144)} }, 1, 0,
			"1970-01-01T00:02:24Z: trace:3: the engine would end it at 1970-01-01T00:02:24Z, in the trace it lives until 1970-01-01T00:02:25Z",
		},
		"a living generation has an ended one's number": {
			func(o *observed) {
				o.ends = append(o.ends, ended{"trace:3", 14, persistence.ReasonExpired, 1, second(134), 0})
			}, 2, 0,
			"1970-01-01T00:02:14Z: trace:3: generation 14 expired",
		},
		"a conversation that nobody spoke in": {
			func(o *observed) {
				o.ends = append(o.ends, ended{"other:1", 15, persistence.ReasonExpired, 1, second(1), 0})
			}, 1, 0,
			"1970-01-01T00:00:01Z: other:1: generation 15 expired at 1970-01-01T00:00:01Z with message 1, but the trace has no such conversation",
		},
		"nothing was ended, everything is shown": {
			func(o *observed) {
				o.ends = nil
				maps.Copy(o.left, map[uint32]alive{1: {13, 3, second(130)}, 2: {12, 1, second(125)}})
			}, 0, 3,
			"1970-01-01T00:01:50Z: trace:1: generation 1 of the trace",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := observed{ends: rightEnds(), left: rightLeft()}
			test.change(&o)
			v := compare(expectation(t), o.ends, o.left)
			if v.falseExpiries != test.false || v.missedExpiries != test.missed {
				t.Errorf("%d false and %d missed expiries, want %d and %d", v.falseExpiries, v.missedExpiries, test.false, test.missed)
			}
			if v.first == nil {
				t.Fatal("no difference is named")
			}
			if got := v.first.String(); !strings.HasPrefix(got, test.first) {
				t.Errorf("got  %s\nwant %s…", got, test.first)
			}
		})
	}
}

func TestTheP99OfLatenessIsExact(t *testing.T) {
	for _, test := range []struct {
		n         int
		p99, most float64
	}{{0, 0, 0}, {1, 1, 1}, {99, 99, 99}, {100, 99, 100}, {101, 100, 101}, {1000, 990, 1000}} {
		var ends []ended
		for i := range test.n {
			ends = append(ends, ended{lateness: time.Duration(test.n-i) * time.Second})
		}
		var r Report
		r.lateness(ends)
		if r.LatenessP99Seconds != test.p99 || r.LatenessMaxSeconds != test.most {
			t.Errorf("of 1 s to %d s: p99 %v, most %v, want %v and %v", test.n, r.LatenessP99Seconds, r.LatenessMaxSeconds, test.p99, test.most)
		}
	}
}
