package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/oracle"
	"github.com/parley-im/parley/benchmarks/trace"
)

const slice = "../testdata/chat-every-20th.csv.gz"

// onFake replays a trace on a fake engine, which set may change before.
func onFake(t *testing.T, reader *trace.Reader, config Config, set func(*fakeEngine)) (*Report, *fakeEngine, error) {
	t.Helper()
	first, err := reader.Next()
	if err != nil {
		t.Fatal(err)
	}
	expected, err := oracle.New(config.ExpireAfter)
	if err != nil {
		t.Fatal(err)
	}
	virtual, ends := clock.NewVirtual(first.At()), new(endings)
	fake := newFake(virtual, config.ExpireAfter, ends.expired)
	if set != nil {
		set(fake)
	}
	report, err := replay(t.Context(), fake, virtual, ends, reader, first, expected, config)
	return report, fake, err
}

// lines returns a trace of the given lines.
func lines(t *testing.T, rows ...string) *trace.Reader {
	t.Helper()
	r, err := trace.NewReader("trace.csv", strings.NewReader(trace.Header+"\n"+strings.Join(rows, "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func openSlice(t *testing.T) *trace.Reader {
	t.Helper()
	r, err := trace.Open(slice)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestEveryDeadlineIsStoppedAt(t *testing.T) {
	report, _, err := onFake(t, openSlice(t), Config{ExpireAfter: 168 * time.Hour}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Report{
		ExpireAfter: "168h0m0s", Messages: 29086, Conversations: 1601, Generations: 1905, Expired: 1892, Alive: 13,
		VirtualSeconds: 1704053573 - 1519690010,
	}
	got := *report
	got.ProposalsPerSecond, got.MaxRSSBytes = 0, 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestAMessageAtTheDeadlineComesAfterTheDeadline(t *testing.T) {
	report, _, err := onFake(t, lines(t, "100,1,1,1,0,", "110,1,2,1,0,", "110,2,1,1,0,", "119,1,3,1,0,", "129,2,2,1,0,"),
		Config{ExpireAfter: 10 * time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Generations != 4 || report.Expired != 3 || report.Alive != 1 || report.Err() != nil {
		t.Errorf("got %+v, want 4 generations of which 3 expired, no difference", report)
	}
}

func TestMessagesOfOneSecondAreProposedTogetherAndInOrder(t *testing.T) {
	rows := []string{"100,1,1,1,0,", "100,2,1,1,0,", "100,1,2,1,0,", "101,1,3,1,0,"}
	for i := range 2*maxBatch + 1 {
		rows = append(rows, fmt.Sprintf("102,3,%d,1,0,", i+1))
	}
	_, fake, err := onFake(t, lines(t, rows...), Config{ExpireAfter: time.Hour}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, batch := range fake.batches {
		sizes = append(sizes, len(batch))
	}
	if diff := cmp.Diff([]int{3, 1, maxBatch, maxBatch, 1}, sizes); diff != "" {
		t.Errorf("sizes of batches (-want +got):\n%s", diff)
	}
	for i, seq := range append(append(fake.batches[2], fake.batches[3]...), fake.batches[4]...) {
		if seq != uint64(i+1) {
			t.Fatalf("message %d of the second was proposed as number %d", seq, i+1)
		}
	}
}

func TestAnOverloadedEngineIsAskedAgain(t *testing.T) {
	busy := 4
	report, fake, err := onFake(t, lines(t, "100,1,1,1,0,", "100,2,1,1,0,", "100,2,2,1,0,"), Config{ExpireAfter: time.Hour}, func(f *fakeEngine) {
		f.answer = func(id string, _ uint64, reply *actors.Reply) {
			if id == "trace:2" && busy > 0 {
				busy--
				*reply = actors.Reply{Err: &conversation.Error{Kind: conversation.ErrOverloaded}}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if report.Retried != 4 || report.Refused != 0 || report.Err() != nil {
		t.Errorf("got %d retried, %d refused, error %v, want 4, 0 and none", report.Retried, report.Refused, report.Err())
	}
	if diff := cmp.Diff([][]uint64{{1, 1, 2}, {1, 2}, {1, 2}}, fake.batches); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestAMessageThatIsNotAppliedIsNamedByItsLine(t *testing.T) {
	for name, test := range map[string]struct {
		reply              actors.Reply
		refused, unchanged int
		want               string
	}{
		"refused": {
			actors.Reply{Err: conversation.Invalid("post.seq", "is too high")},
			1, 0,
			"1970-01-01T00:01:41Z: trace:1: the message in line 3 was refused: invalid: post.seq is too high",
		},
		"repetition": {
			actors.Reply{Changed: false},
			0, 1,
			"1970-01-01T00:01:41Z: trace:1: the message in line 3 was taken for a repetition",
		},
	} {
		t.Run(name, func(t *testing.T) {
			report, _, err := onFake(t, lines(t, "100,1,1,1,0,", "101,1,2,1,0,", "102,1,3,1,0,"), Config{ExpireAfter: time.Hour}, func(f *fakeEngine) {
				f.answer = func(_ string, seq uint64, reply *actors.Reply) {
					if seq == 2 {
						*reply = test.reply
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if report.Refused != test.refused || report.Unchanged != test.unchanged {
				t.Errorf("%d refused and %d unchanged, want %d and %d", report.Refused, report.Unchanged, test.refused, test.unchanged)
			}
			if report.FirstDifference != test.want {
				t.Errorf("first difference\n got %s\nwant %s", report.FirstDifference, test.want)
			}
			mismatch, ok := errors.AsType[*MismatchError](report.Err())
			if !ok || !strings.Contains(mismatch.Error(), test.want) {
				t.Errorf("error %v does not name the difference", report.Err())
			}
		})
	}
}

func TestAnEngineThatDoesNotExpireIsFoundOut(t *testing.T) {
	report, _, err := onFake(t, lines(t, "100,1,1,1,0,", "200,2,1,1,0,"), Config{ExpireAfter: 10 * time.Second}, func(f *fakeEngine) {
		f.expireAfter = time.Hour
	})
	if err != nil {
		t.Fatal(err)
	}
	if report.MissedExpiries != 1 || report.FalseExpiries != 1 || report.Err() == nil {
		t.Errorf("got %+v, want the first conversation missed and the second's deadline wrong", report)
	}
}

func TestAnEngineThatIsGoneEndsTheReplay(t *testing.T) {
	_, _, err := onFake(t, lines(t, "100,1,1,1,0,", "101,1,2,1,0,"), Config{ExpireAfter: time.Hour}, func(f *fakeEngine) {
		f.answer = func(_ string, seq uint64, reply *actors.Reply) {
			if seq == 2 {
				*reply = actors.Reply{Err: &conversation.Error{Kind: conversation.ErrUnavailable, Reason: "the engine has stopped"}}
			}
		}
	})
	if !errors.Is(err, conversation.ErrUnavailable) || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("got error %v, want ErrUnavailable in line 3", err)
	}
}

func TestAMalformedRowEndsTheReplay(t *testing.T) {
	_, _, err := onFake(t, lines(t, "100,1,1,1,0,", "101,1,x,1,0,"), Config{ExpireAfter: time.Hour}, nil)
	if _, ok := errors.AsType[*trace.Error](err); !ok || !strings.HasPrefix(err.Error(), "trace.csv:3:3: seq:") {
		t.Errorf("got error %v, want one in trace.csv:3:3", err)
	}
}

func TestACancelledReplayEnds(t *testing.T) {
	reader := openSlice(t)
	first, err := reader.Next()
	if err != nil {
		t.Fatal(err)
	}
	expected, err := oracle.New(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	virtual, ends := clock.NewVirtual(first.At()), new(endings)
	config := Config{ExpireAfter: time.Hour, Progress: func(int64, int64) { cancel() }}
	_, err = replay(ctx, newFake(virtual, time.Hour, ends.expired), virtual, ends, reader, first, expected, config)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
	if _, err := reader.Next(); errors.Is(err, io.EOF) {
		t.Error("the trace was read to its end all the same")
	}
}

func TestProgressGrowsToTheWholeFile(t *testing.T) {
	var last, size int64
	calls := 0
	_, _, err := onFake(t, openSlice(t), Config{ExpireAfter: 720 * time.Hour, Progress: func(read, of int64) {
		if read < last {
			t.Errorf("progress went back from %d to %d", last, read)
		}
		last, size = read, of
		calls++
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if calls < 2 || last != size || size == 0 {
		t.Errorf("%d calls, the last with %d of %d bytes", calls, last, size)
	}
}
