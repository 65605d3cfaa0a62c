package benchmarks_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/badgerstore"
)

const (
	largeGroup = 100_000
	// postsPerRound is how many posts each side makes before it is the other's turn. Few, so that both meet the machine in the same mood.
	postsPerRound = 500
)

// BenchmarkLargeGroup holds a post to a group of 100,000 members against one to a conversation of two, in turns, on one engine. ratio is the group's time for a post over
// the pair's. In "speakers" a thousand of the members do the talking, each post by another of them; in "anyone" each post is by the first of all members who
// has not spoken for longest, so that their membership must be read from the disk's tables first, as the pair's never is.
func BenchmarkLargeGroup(b *testing.B) {
	for _, ack := range []actors.Ack{actors.AckApplied, actors.AckCommitted} {
		b.Run(ack.String()+"/speakers", func(b *testing.B) { largeGroups(b, ack, 1_000) })
		b.Run(ack.String()+"/anyone", func(b *testing.B) { largeGroups(b, ack, largeGroup) })
	}
}

func largeGroups(b *testing.B, ack actors.Ack, speakers int) {
	b.Helper()
	var rows atomic.Int64
	engine := startEngine(b, openStore(b, b.TempDir(), badgerstore.Options{NoSync: true}), actors.Config{
		Observer: &actors.Observer{FlushEnd: func(info actors.FlushInfo) { rows.Add(int64(info.Rows)) }},
	})
	began := time.Now()
	for from := 0; from < largeGroup; from += conversation.MaxUsers {
		join := &conversation.Join{}
		for i := range conversation.MaxUsers {
			join.Users = append(join.Users, memberName(from+i))
		}
		if _, err := engine.Propose(b.Context(), &actors.Proposal{Conversation: "group:large", Change: join}); err != nil {
			b.Fatal(err)
		}
	}
	joined := time.Since(began)
	group := &poster{engine: engine, name: "group:large", speakers: speakers, ack: ack}
	pair := &poster{engine: engine, name: "chat:pair", speakers: 2, ack: ack}
	var inGroup, inPair time.Duration
	posts, written := 0, int64(0)
	for range 4 { // until those who speak have
		group.round(b)
		pair.round(b)
	}
	settle(b, engine)
	b.ReportAllocs()
	for b.Loop() {
		posts += postsPerRound
		inPair += pair.round(b)
		settle(b, engine)
		before := rows.Load()
		inGroup += group.round(b)
		settle(b, engine)
		written += rows.Load() - before
	}
	b.ReportMetric(inGroup.Seconds()/inPair.Seconds(), "ratio")
	b.ReportMetric(float64(inGroup.Microseconds())/float64(posts), "µs/post-of-100k")
	b.ReportMetric(float64(inPair.Microseconds())/float64(posts), "µs/post-of-2")
	b.ReportMetric(float64(written)/float64(posts), "rows/post-of-100k")
	b.ReportMetric(float64(largeGroup)/joined.Seconds(), "joins/s")
}

// settle has everything be in the store that was answered, which may only be logged until then, and what is due dealt with.
func settle(b *testing.B, engine *actors.Engine) {
	b.Helper()
	if err := engine.Settle(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := engine.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func memberName(i int) string { return fmt.Sprintf("member-%06d", i) }

// poster posts to one conversation, each message by another of those who speak.
type poster struct {
	engine   *actors.Engine
	name     string
	speakers int
	ack      actors.Ack
	seq      uint64
}

func (p *poster) round(b *testing.B) time.Duration {
	b.Helper()
	proposals := make([]*actors.Proposal, postsPerRound)
	for i := range proposals {
		p.seq++
		proposals[i] = &actors.Proposal{Conversation: p.name, Ack: p.ack, Change: &conversation.Post{
			Seq: p.seq, Sender: memberName(int(p.seq*7919) % p.speakers), Preview: []byte("see you at eight"),
		}}
	}
	began := time.Now()
	replies, err := p.engine.ProposeBatch(b.Context(), proposals)
	took := time.Since(began)
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range replies {
		if r.Err != nil {
			b.Fatal(r.Err)
		}
	}
	return took
}
