package replay

import (
	"context"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// fakeEngine expires conversations in the simplest way there is. Like a real engine, it need not have armed the timer of a deadline before
// Settle returns, and deletes in Settle what is due.
type fakeEngine struct {
	clock       *clock.Virtual
	expireAfter time.Duration
	expired     func(actors.ExpiredInfo)
	lives       map[string]*fakeLife
	generation  uint64

	// answer, where it is not nil, may replace the reply to a post; a reply with an error stands for a post that was not applied.
	answer  func(conversation string, seq uint64, reply *actors.Reply)
	batches [][]uint64 // seqs proposed, by call
	settles int
}

type fakeLife struct {
	generation uint64
	lastSeq    uint64
	deadline   time.Time
	armed      time.Time
}

func newFake(virtual *clock.Virtual, expireAfter time.Duration, expired func(actors.ExpiredInfo)) *fakeEngine {
	return &fakeEngine{clock: virtual, expireAfter: expireAfter, expired: expired, lives: make(map[string]*fakeLife)}
}

func (f *fakeEngine) ProposeBatch(ctx context.Context, proposals []*actors.Proposal) ([]actors.Reply, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var seqs []uint64
	replies := make([]actors.Reply, len(proposals))
	for i, p := range proposals {
		post := p.Change.(*conversation.Post) //nolint:errcheck // a replay proposes nothing else
		seqs = append(seqs, post.Seq)
		replies[i] = actors.Reply{Changed: true}
		if f.answer != nil {
			f.answer(p.Conversation, post.Seq, &replies[i])
		}
		if replies[i].Err != nil || !replies[i].Changed {
			continue
		}
		life := f.lives[p.Conversation]
		if life == nil {
			f.generation++
			life = &fakeLife{generation: f.generation}
			f.lives[p.Conversation] = life
		}
		life.lastSeq, life.deadline = post.Seq, f.clock.Now().Add(f.expireAfter)
	}
	f.batches = append(f.batches, seqs)
	return replies, nil
}

func (f *fakeEngine) Get(_ context.Context, id, _ string) (conversation.View, error) {
	life, ok := f.lives[id]
	if !ok {
		return conversation.View{}, &conversation.Error{Kind: conversation.ErrNotFound}
	}
	return conversation.View{Conversation: id, Generation: life.generation, LastSeq: life.lastSeq, ExpiresAt: life.deadline}, nil
}

func (f *fakeEngine) Settle(ctx context.Context) error {
	f.settles++
	now := f.clock.Now()
	for id, life := range f.lives {
		if !life.deadline.After(now) {
			f.expired(actors.ExpiredInfo{
				Conversation: id, Generation: life.generation, Reason: persistence.ReasonExpired, LastSeq: life.lastSeq,
				Deadline: life.deadline, At: now, Lateness: now.Sub(life.deadline),
			})
			delete(f.lives, id)
		} else if !life.armed.Equal(life.deadline) {
			life.armed = life.deadline
			f.clock.AfterFunc(life.deadline.Sub(now), func() {})
		}
	}
	return ctx.Err()
}
