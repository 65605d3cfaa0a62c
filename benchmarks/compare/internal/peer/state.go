package peer

import (
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// retention is how long after its last post a conversation expires with the peers.
const retention = 30 * 24 * time.Hour

// state is what a peer keeps of a conversation: what was said last, when, and until when it is kept. It knows nothing of members, and so of nobody's
// unread count, list, marks or drafts.
type state struct {
	lastSeq  uint64
	posts    uint64
	activity int64 // Unix nanoseconds
	deadline int64
	sender   string
	preview  []byte
}

// apply takes in a post, unless it is a repetition.
func (s *state) apply(p *actors.Proposal) {
	post, ok := p.Change.(*conversation.Post)
	if !ok || post.Seq <= s.lastSeq {
		return
	}
	now := time.Now()
	s.lastSeq, s.sender, s.preview = post.Seq, post.Sender, post.Preview
	s.posts++
	s.activity, s.deadline = now.UnixNano(), now.Add(retention).UnixNano()
}
