package overload

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

func TestEachPostIsAcceptedOrRefusedWithAHintOrWasNotSent(t *testing.T) {
	for _, ack := range []actors.Ack{actors.AckApplied, actors.AckCommitted} {
		r, err := Run(t.Context(), Config{Dir: t.TempDir(), Conversations: 40, Ack: ack, Wait: time.Millisecond, Phase: 20 * time.Millisecond, Rounds: 2})
		if err != nil {
			t.Fatal(err)
		}
		if r.Capacity.Posts <= 0 || ack == actors.AckCommitted && r.Capacity.Bytes <= 0 || len(r.Nominal) != 2 || len(r.Over) != 2 || len(r.Resident) < 2 {
			t.Fatalf("%v: %+v, %d and %d rounds, memory %v", ack, r.Capacity, len(r.Nominal), len(r.Over), r.Resident)
		}
		for i, l := range append(r.Nominal, r.Over...) {
			if sum := l.Accepted + l.Refused + int64(l.Unsent); sum != int64(l.Planned) || l.Bad != 0 || l.Fault != nil || l.Accepted == 0 {
				t.Errorf("%v: load %d: %d accepted, %d refused, %d unsent and %d others (%v) of %d", ack, i, l.Accepted, l.Refused, l.Unsent, l.Bad, l.Fault, l.Planned)
			}
			if l.Inside.Count() != l.Accepted || l.Latency.Count() != l.Accepted || l.Turned.Count() != l.Refused {
				t.Errorf("%v: load %d: latencies of %d and %d accepted ones and %d refused, of %d and %d", ack, i, l.Inside.Count(), l.Latency.Count(), l.Turned.Count(), l.Accepted, l.Refused)
			}
		}
	}
}

// The posts of one that the engine has no room for are refused, each at once, and come again until they are taken.
func TestARefusedPostIsProposedAgain(t *testing.T) {
	c := Config{Dir: t.TempDir(), Conversations: 1, Ack: actors.AckApplied}.withDefaults()
	settings := c.settings()
	settings.MaxQueuedBytes = 1 // it takes one at a time
	err := c.with(t.Context(), settings, func(engine *actors.Engine) error {
		l, err := send(t.Context(), engine, newCrowd(1, c.Ack), 200_000, 50*time.Millisecond)
		if err != nil {
			return err
		}
		view, err := engine.Get(t.Context(), name(0), "")
		if err != nil {
			return err
		}
		if l.Refused == 0 || l.Bad != 0 {
			t.Errorf("%d were refused, and %d otherwise: %v", l.Refused, l.Bad, l.Fault)
		}
		// The first has number 2.
		if int64(view.LastSeq) != 1+l.Accepted {
			t.Errorf("%d were accepted, and the last message is %d", l.Accepted, view.LastSeq)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBoundsAreWhatIsDoneInTheTimeThatOneMayWait(t *testing.T) {
	can := Capacity{Posts: 1_000_000, Bytes: 100 << 20}
	one := conversation.Weight(&conversation.Post{Preview: preview()})
	for _, x := range []struct {
		c                    Config
		queue, queued, bytes int
	}{
		{Config{Ack: actors.AckApplied, Wait: 20 * time.Millisecond}, 20_000, 20_000 * one, 0},
		{Config{Ack: actors.AckCommitted, Wait: 20 * time.Millisecond}, 20_000, 20_000 * one, 2 << 20},
		{Config{Ack: actors.AckCommitted, Wait: time.Microsecond}, leastQueue, leastQueue * one, leastJournal},
		{Config{Ack: actors.AckCommitted}, 0, 0, 0}, // the engine's defaults
	} {
		if got := x.c.bounded(can); got.MaxQueue != x.queue || got.MaxQueuedBytes != x.queued || got.MaxJournalBytes != x.bytes {
			t.Errorf("%+v: %d posts, %d bytes, %d bytes of the journal, want %d, %d, %d", x.c, got.MaxQueue, got.MaxQueuedBytes, got.MaxJournalBytes, x.queue, x.queued, x.bytes)
		}
	}
}

func TestMemoryIsComparedByThirds(t *testing.T) {
	r := &Result{Resident: []uint64{10, 11, 12, 900, 900, 900, 21, 22, 23}}
	if first, last := r.ResidentFirst(), r.ResidentLast(); first != 11 || last != 22 {
		t.Errorf("first %d, last %d, want 11 and 22", first, last)
	}
	if first, last := new(Result).ResidentFirst(), new(Result).ResidentLast(); first != 0 || last != 0 {
		t.Errorf("of nothing: %d, %d", first, last)
	}
}
