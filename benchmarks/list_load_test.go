package benchmarks_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

const (
	loadEvery         = 2 * time.Millisecond
	loadPosts         = 8
	loadConversations = 1_000
)

// listLoad posts to conversations of others, so that the journal commits every two milliseconds.
type listLoad struct {
	engine  *actors.Engine
	name    string
	commits atomic.Int64
	began   time.Time
	stop    chan struct{}
	group   sync.WaitGroup
}

// startLoad returns once the first commit was made.
func startLoad(b *testing.B, engine *actors.Engine) *listLoad {
	b.Helper()
	l := &listLoad{engine: engine, name: fmt.Sprintf("load:%x", time.Now().UnixNano()), stop: make(chan struct{})}
	if err := l.post(0); err != nil {
		b.Fatal(err)
	}
	l.began = time.Now()
	l.group.Go(func() {
		tick := time.NewTicker(loadEvery)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-tick.C:
			case <-l.stop:
				return
			}
			if err := l.post(n); err != nil {
				b.Errorf("the load: %v", err)
				return
			}
			l.commits.Add(1)
		}
	})
	return l
}

func (l *listLoad) post(n int) error {
	batch := make([]*actors.Proposal, loadPosts)
	for i := range batch {
		k := n*loadPosts + i
		batch[i] = &actors.Proposal{Conversation: fmt.Sprintf("%s-%d", l.name, k%loadConversations), Change: &conversation.Post{
			Seq: 1 + uint64(k/loadConversations), Sender: "ann", Members: []string{"bob"}, Preview: []byte("see you at eight"),
		}}
	}
	replies, err := l.engine.ProposeBatch(ctx(), batch)
	for i := range replies {
		if err == nil {
			err = replies[i].Err
		}
	}
	return err
}

// end returns how many commits there were in a second.
func (l *listLoad) end() float64 {
	close(l.stop)
	l.group.Wait()
	return float64(l.commits.Load()) / time.Since(l.began).Seconds()
}
