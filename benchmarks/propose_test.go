package benchmarks_test

import (
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/badgerstore"
)

const (
	hotConversations = 10_000
	// roundOf is how many proposals, and then how many raw sends, one iteration has.
	roundOf   = 64_000
	batchSize = 64
)

// BenchmarkPropose holds proposing at AckApplied against what protoactor itself does at best: one goroutine that sends the same messages, made
// in the same way, to one actor that counts them. ratio is how many proposals the engine applies and answers in the time of one such send.
func BenchmarkPropose(b *testing.B) {
	b.Run("single", func(b *testing.B) {
		// Each caller waits for its reply, so it takes many to keep the engine busy.
		propose(b, 64, func(engine *actors.Engine, proposals []*actors.Proposal) error {
			for _, p := range proposals {
				if _, err := engine.Propose(b.Context(), p); err != nil {
					return err
				}
			}
			return nil
		})
	})
	b.Run("batched", func(b *testing.B) {
		propose(b, 2*runtime.GOMAXPROCS(0), func(engine *actors.Engine, proposals []*actors.Proposal) error {
			replies, err := engine.ProposeBatch(b.Context(), proposals)
			for i := range replies {
				if replies[i].Err != nil {
					return replies[i].Err
				}
			}
			return err
		})
	})
}

// propose measures rounds of proposals, sent in batches by each of some callers, each followed by a round of raw sends.
func propose(b *testing.B, callers int, send func(*actors.Engine, []*actors.Proposal) error) {
	b.Helper()
	system := newSystem(b)
	engine := startEngine(b, openStore(b, b.TempDir(), badgerstore.Options{NoSync: true}), actors.Config{})
	hot := newHotActor(b, system)
	speakers := make([]*speaker, callers)
	for i := range speakers {
		speakers[i] = newSpeaker(i, callers)
	}
	each := roundOf / callers / batchSize * batchSize

	var proposing, sending time.Duration
	rounds := 0
	b.ReportAllocs()
	for b.Loop() {
		rounds++
		began := time.Now()
		var group sync.WaitGroup
		for _, s := range speakers {
			group.Go(func() {
				for range each / batchSize {
					if err := send(engine, s.next(batchSize)); err != nil {
						b.Errorf("a proposal was not applied: %v", err)
						return
					}
				}
			})
		}
		group.Wait()
		proposing += time.Since(began)

		began = time.Now()
		hot.send(system.Root, each*callers)
		sending += time.Since(began)
	}
	total := float64(rounds * each * callers)
	b.ReportMetric(float64(proposing.Nanoseconds())/total, "ns/proposal")
	b.ReportMetric(float64(sending.Nanoseconds())/total, "ns/send")
	b.ReportMetric(total/proposing.Seconds(), "proposals/s")
	b.ReportMetric(sending.Seconds()/proposing.Seconds(), "ratio")
}

// speaker makes posts for conversations of its own.
type speaker struct {
	conversations []string
	seqs          []uint64
	turn          int
}

// newSpeaker returns the speaker of every n-th hot conversation, from the first on.
func newSpeaker(first, n int) *speaker {
	s := &speaker{}
	for i := first; i < hotConversations; i += n {
		s.conversations = append(s.conversations, "hot:"+strconv.Itoa(i))
	}
	s.seqs = make([]uint64, len(s.conversations))
	return s
}

func (s *speaker) next(n int) []*actors.Proposal {
	proposals := make([]*actors.Proposal, n)
	for i := range proposals {
		s.turn = (s.turn + 1) % len(s.conversations)
		s.seqs[s.turn]++
		proposals[i] = post(s.conversations[s.turn], s.seqs[s.turn])
	}
	return proposals
}

func post(id string, seq uint64) *actors.Proposal {
	return &actors.Proposal{
		Conversation: id,
		Change:       &conversation.Post{Seq: seq, Sender: "alice"},
		Ack:          actors.AckApplied,
	}
}

// hotActor counts messages and says when it has received as many as it was told to expect.
type hotActor struct {
	pid      *actor.PID
	received int
	expected int
	done     chan struct{}
}

func newHotActor(b *testing.B, system *actor.ActorSystem) *hotActor {
	b.Helper()
	h := &hotActor{done: make(chan struct{}, 1)}
	h.pid = system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		if _, ok := c.Message().(*actors.Proposal); !ok {
			return
		}
		if h.received++; h.received == h.expected {
			h.done <- struct{}{}
		}
	}))
	b.Cleanup(func() {
		if err := system.Root.PoisonFuture(h.pid).Wait(); err != nil {
			b.Error(err)
		}
	})
	return h
}

// send sends n proposals and returns when all were received. Between two calls the actor is idle, so its fields may be set.
func (h *hotActor) send(root *actor.RootContext, n int) {
	h.received, h.expected = 0, n
	for i := range n {
		root.Send(h.pid, post("hot:0", uint64(i+1)))
	}
	<-h.done
}
