package conversation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

const (
	modelJump     = 6
	modelReceipts = 3
	logLength     = 120 // within the tail's senders: beyond them unread is not exact for unattended messages
)

var cast = []string{"ann", "bob", "carl", "dora", "eve"}

// log is what a host has in its log: whoever proposes a message again proposes the same.
type log map[uint64]*conversation.Post

// draw returns a message, which is drawn when it is first asked for.
func (l log) draw(t *rapid.T, seq uint64) *conversation.Post {
	if l[seq] != nil {
		return l[seq]
	}
	p := &conversation.Post{
		Seq:        seq,
		Sender:     rapid.SampledFrom(cast).Draw(t, "sender"),
		Silent:     rapid.IntRange(0, 4).Draw(t, "silent") == 4,
		Unattended: rapid.IntRange(0, 4).Draw(t, "unattended") == 4,
		MentionAll: rapid.IntRange(0, 4).Draw(t, "mention all") == 4,
		Mentions:   drawUsers(t, "mentions", 0),
		Members:    drawUsers(t, "members", 0),
		Preview:    rapid.SampledFrom([][]byte{nil, []byte("hello"), []byte("bye")}).Draw(t, "preview"),
	}
	if rapid.Bool().Draw(t, "dated") {
		p.SentAt = start.Add(time.Duration(rapid.IntRange(-300, 300).Draw(t, "sent")) * time.Minute).Time()
	}
	l[seq] = p
	return p
}

func drawUsers(t *rapid.T, label string, least int) []string {
	return rapid.SliceOfN(rapid.SampledFrom(cast), least, 3).Draw(t, label)
}

// play is a world and its model, to which the same happens.
type play struct {
	*world

	model  model
	log    log
	before []func() // what may be repeated
}

func (p *play) near(t *rapid.T, label string) uint64 {
	return rapid.Uint64Range(1, p.model.reached+modelJump+1).Draw(t, label)
}

func (p *play) both(change conversation.Change, revision, ifGeneration uint64) {
	do := func() {
		p.revision, p.ifGeneration = revision, ifGeneration
		_, err := p.propose(change)
		conflict := ifGeneration != 0 && ifGeneration != uint64(p.state.Generation()) && p.model.alive(p.now)
		if refused := conflict || p.model.apply(change, revision, ifGeneration, p.now); refused != (err != nil) {
			p.Fatalf("%s %+v of revision %d: error %v; refused by the model: %v", change.Kind(), change, revision, err, refused)
		}
	}
	do()
	p.before = append(p.before, do)
}

func (p *play) drawRevision(t *rapid.T) uint64 {
	return rapid.SampledFrom([]uint64{0, 0, 1, 2, 3, 4, 5, 6}).Draw(t, "revision")
}

func (p *play) post(t *rapid.T) {
	seq := p.model.reached + 1
	if !rapid.Bool().Draw(t, "next") {
		seq = p.near(t, "seq")
	}
	p.both(p.log.draw(t, min(seq, logLength)), 0, 0)
}

func (p *play) join(t *rapid.T) {
	j := &conversation.Join{Users: drawUsers(t, "users", 1)}
	if rapid.Bool().Draw(t, "from") {
		j.VisibleFrom, j.UnreadFrom = p.near(t, "visible from"), p.near(t, "unread from")
	}
	p.both(j, p.drawRevision(t), 0)
}

func (p *play) leave(t *rapid.T) {
	p.both(&conversation.Leave{Users: drawUsers(t, "users", 1), Keep: rapid.Bool().Draw(t, "keep")}, p.drawRevision(t), 0)
}

func (p *play) read(t *rapid.T) {
	p.both(&conversation.Read{User: rapid.SampledFrom(cast).Draw(t, "user"), Seq: p.near(t, "seq")}, 0, 0)
}

func (p *play) clear(t *rapid.T) {
	c := &conversation.Clear{User: rapid.SampledFrom(cast).Draw(t, "user"), Seq: p.near(t, "seq"), Hide: rapid.Bool().Draw(t, "hide")}
	p.both(c, 0, 0)
}

func (p *play) amend(t *rapid.T) {
	seq := p.model.reached
	if seq == 0 || !rapid.Bool().Draw(t, "last") {
		seq = p.near(t, "seq")
	}
	p.both(&conversation.Amend{
		Seq:       seq,
		Preview:   rapid.SampledFrom([][]byte{nil, {}, []byte("edited"), []byte("hello")}).Draw(t, "preview"),
		Retracted: rapid.Bool().Draw(t, "retracted"),
	}, 0, 0)
}

func (p *play) deliver(t *rapid.T) {
	p.both(&conversation.Deliver{User: rapid.SampledFrom(cast).Draw(t, "user"), Seq: p.near(t, "seq")}, 0, 0)
}

func (p *play) markUnread(t *rapid.T) {
	seq := rapid.Uint64Range(0, p.model.reached+1).Draw(t, "seq")
	p.both(&conversation.MarkUnread{User: rapid.SampledFrom(cast).Draw(t, "user"), Seq: seq}, p.drawRevision(t), 0)
}

func (p *play) set(t *rapid.T) {
	p.both(drawSet(t), p.drawRevision(t), 0)
}

// drawSet draws a change of one setting or of several.
func drawSet(t *rapid.T) *conversation.Set {
	s := &conversation.Set{User: rapid.SampledFrom(cast).Draw(t, "user")}
	which := rapid.IntRange(1, 1<<6-1).Draw(t, "which")
	has := func(bit int) bool { return which&(1<<bit) != 0 }
	if has(0) {
		s.Pin = new(rapid.Uint64Range(0, 2).Draw(t, "pin"))
	}
	if has(1) {
		s.MutedUntil = &time.Time{}
		if rapid.Bool().Draw(t, "muted") {
			*s.MutedUntil = start.Add(time.Duration(rapid.IntRange(-100, 100).Draw(t, "until")) * time.Minute).Time()
		}
	}
	if has(2) {
		s.Hide = new(persistence.Hide(rapid.IntRange(0, 2).Draw(t, "hide")))
	}
	if has(3) {
		s.Tags = new(rapid.Uint64Range(0, 2).Draw(t, "tags"))
	}
	if has(4) {
		s.Custom = []byte(rapid.SampledFrom([]string{"", "blue", "red"}).Draw(t, "custom"))
	}
	if has(5) {
		s.Draft = &conversation.Draft{Text: []byte(rapid.SampledFrom([]string{"", "hel", "hello"}).Draw(t, "text"))}
		if rapid.IntRange(0, 3).Draw(t, "dated") > 0 {
			s.Draft.EditedAt = start.Add(time.Duration(rapid.IntRange(-60, 300).Draw(t, "edited")) * time.Minute).Time()
		}
	}
	return s
}

func (p *play) hold(t *rapid.T) { p.both(&conversation.Hold{On: rapid.Bool().Draw(t, "on")}, 0, 0) }

func (p *play) delete(*rapid.T) { p.both(&conversation.Delete{}, 0, uint64(p.state.Generation())) }

func (p *play) repeat(t *rapid.T) {
	if len(p.before) == 0 {
		t.Skip("nothing to repeat")
	}
	rapid.SampledFrom(p.before).Draw(t, "again")()
}

func (p *play) passTime(t *rapid.T) {
	p.advance(rapid.SampledFrom([]time.Duration{time.Microsecond, time.Minute, 40 * time.Minute, time.Hour}).Draw(t, "time"))
}

func (p *play) passivate(t *rapid.T) {
	if rapid.Bool().Draw(t, "packed") {
		p.repack()
	} else {
		p.reload()
	}
}

// judgeIt judges the due entry, and reaps what is over.
func (p *play) judgeIt(t *rapid.T) {
	if p.model.life == nil || p.tombstone() || p.head().Due == 0 {
		t.Skip("nothing is due")
	}
	want := !p.model.ripe(p.now)
	verdict, out := p.judge()
	if !want {
		p.model.life.ended = true
	}
	if (verdict == conversation.Over) == want || (verdict == conversation.Later) != want {
		p.Fatalf("judged %v, alive by the model: %v", verdict, want)
	}
	if want && p.model.keeps && p.now >= p.model.life.over && p.head().Witness == "" {
		p.Fatalf("it is kept by what somebody has unread, and nobody is remembered to have")
	}
	if out.Ended != nil && rapid.Bool().Draw(t, "reaped") {
		p.reap(out.Ended)
	}
}

func (p *play) check(*rapid.T) {
	for _, user := range append(cast, "nobody") {
		want := p.model.glimpse(user, p.now)
		if diff := cmp.Diff(want, p.glimpse(user), cmp.AllowUnexported(settings{})); diff != "" {
			p.Fatalf("%s sees (-model +world):\n%s", user, diff)
		}
		if want.In {
			p.member(user) // holds what is in memory against the rows
		}
	}
	if p.model.keeps && p.model.alive(p.now) && p.model.ripe(p.now) {
		if due := p.head().Due; due == 0 || due > p.now {
			p.Fatalf("its retention has run out and nobody has anything unread, but it is due at %d", due)
		}
	}
	if p.model.alive(p.now) {
		if pins := p.head().Pins; pins != p.model.life.pins() {
			p.Fatalf("the head counts %d pins, want %d", pins, p.model.life.pins())
		}
	}
	if generation, _, last := p.state.Standing(); p.model.life != nil && (last != p.model.reached || generation == 0) {
		p.Fatalf("a reply says generation %d, last seq %d; want %d", generation, last, p.model.reached)
	}
}

func TestAConversationIsWhatWasSaidAndMarkedInIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { playFor(t, conversation.Policy{ExpireAfter: time.Hour}) })
}

// Whatever is said and marked, and however often the conversation leaves memory: a judgement ends a life whose retention has run out exactly where nobody has anything unread, and
// where that is so, something is due.
func TestAConversationIsKeptExactlyAsLongAsSomebodyHasSomethingUnread(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { playFor(t, conversation.Policy{ExpireAfter: time.Hour, KeepUnread: true}) })
}

func playFor(t *rapid.T, policy conversation.Policy) {
	w := newWorld(t)
	w.policy = policy
	w.policy.MaxSeqJump, w.policy.ReceiptsUpTo = modelJump, modelReceipts
	p := &play{world: w, log: log{}, model: model{keeps: policy.KeepUnread}}
	t.Repeat(map[string]func(*rapid.T){
		"post": p.post, "post another": p.post, "post a third": p.post, "join": p.join, "leave": p.leave, "read": p.read, "clear": p.clear,
		"amend": p.amend, "deliver": p.deliver, "mark unread": p.markUnread, "set": p.set, "hold": p.hold,
		"delete": p.delete, "repeat": p.repeat, "pass time": p.passTime, "passivate": p.passivate, "judge": p.judgeIt, "judge again": p.judgeIt, "": p.check,
	})
}
