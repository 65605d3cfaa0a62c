package actors_test

import (
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

var activations = flag.Int("activations", 20_000, "how many conversations become active and leave memory again, one after the other")

func TestConversationsThatComeAndGoLeaveNothingBehind(t *testing.T) {
	const known = 8 * persistence.Shards
	actorstest.Run(t, actors.Config{MaxActive: persistence.Shards, MaxPackedBytes: packedInTests}, func(t *testing.T, e *actorstest.Engine) {
		seq := uint64(0)
		round := func() {
			seq++
			for i := range known {
				e.ProposeFunc(&actors.Proposal{Conversation: fmt.Sprint("group:", i), Ack: actors.AckApplied, Change: &conversation.Post{Seq: seq, Sender: "ann"}}, func(r *actors.Reply) {
					if r.Err != nil {
						t.Error(r.Err)
					}
				})
				if i%64 == 0 {
					e.Advance(0)
				}
			}
			e.Advance(10 * time.Minute) // all of them leave
		}
		round()
		goroutines, processes := runtime.NumGoroutine(), e.Processes()
		for e.Stats().Cells.Activations < uint64(*activations) {
			round()
		}
		s := e.Stats()
		if c := s.Cells; c.Known != 0 || c.Active != 0 || c.Activations != c.Passivations || c.Failures != 0 {
			t.Errorf("%+v, want all to have left", c)
		}
		// The process has a few goroutines that are not the engine's and come and go; each conversation that left one would have left thousands.
		if g, p := runtime.NumGoroutine(), e.Processes(); g > goroutines+8 || p != processes {
			t.Errorf("%d goroutines and %d processes, want %d and %d as before", g, p, goroutines, processes)
		}
		if p := s.Proposals; p.Received != p.Applied+p.Refused || p.Refused != 0 || p.Waiting != 0 {
			t.Errorf("%+v: want all that were received to be applied", p)
		}
	})
}
