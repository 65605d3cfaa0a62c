package actorstest

import (
	"context"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// Do proposes a change at the default ack level and returns the reply, which may be a refusal.
func (e *Engine) Do(name string, change conversation.Change) actors.Reply {
	e.t.Helper()
	return e.Send(&actors.Proposal{Conversation: name, Change: change})
}

// Send proposes and returns the reply, which may be a refusal. It waits for as long as that takes; the bubble's time goes by meanwhile.
func (e *Engine) Send(p *actors.Proposal) actors.Reply {
	e.t.Helper()
	r, err := e.Propose(context.Background(), p)
	if err != nil && r.Err == nil {
		e.t.Fatalf("propose to %s: %v", p.Conversation, err)
	}
	return r
}

// must proposes a change, and fails the test where that is refused.
func (e *Engine) must(name string, change conversation.Change) actors.Reply {
	e.t.Helper()
	r := e.Do(name, change)
	if r.Err != nil {
		e.t.Fatalf("%s to %s: %v", change.Kind(), name, r.Err)
	}
	return r
}

// Post proposes a post, and fails the test where that is refused.
func (e *Engine) Post(name, sender string, seq uint64, members ...string) actors.Reply {
	e.t.Helper()
	r := e.Do(name, &conversation.Post{Seq: seq, Sender: sender, Members: members})
	if r.Err != nil {
		e.t.Fatalf("post %d to %s: %v", seq, name, r.Err)
	}
	return r
}

// Edit proposes an amendment that replaces a message's preview, and fails the test where that is refused.
func (e *Engine) Edit(name string, seq uint64, preview string) actors.Reply {
	e.t.Helper()
	return e.must(name, &conversation.Amend{Seq: seq, Preview: []byte(preview)})
}

// Retract proposes an amendment that takes a message back, and fails the test where that is refused.
func (e *Engine) Retract(name string, seq uint64) actors.Reply {
	e.t.Helper()
	return e.must(name, &conversation.Amend{Seq: seq, Retracted: true})
}

// Join proposes that users join, and fails the test where that is refused.
func (e *Engine) Join(name string, users ...string) actors.Reply {
	e.t.Helper()
	return e.must(name, &conversation.Join{Users: users})
}

// Leave proposes that users leave, and fails the test where that is refused.
func (e *Engine) Leave(name string, users ...string) actors.Reply {
	e.t.Helper()
	return e.must(name, &conversation.Leave{Users: users})
}

// Read proposes that a user has read up to a message, and fails the test where that is refused.
func (e *Engine) Read(name, user string, seq uint64) actors.Reply {
	e.t.Helper()
	return e.must(name, &conversation.Read{User: user, Seq: seq})
}

// Deliver proposes that messages have reached a user, and fails the test where that is refused.
func (e *Engine) Deliver(name, user string, seq uint64) actors.Reply {
	e.t.Helper()
	return e.must(name, &conversation.Deliver{User: user, Seq: seq})
}

// MarkUnread proposes that a message becomes a user's first unread one, and fails the test where that is refused.
func (e *Engine) MarkUnread(name, user string, seq uint64) actors.Reply {
	e.t.Helper()
	return e.must(name, &conversation.MarkUnread{User: user, Seq: seq})
}

// Clear proposes that history up to a message is gone for a user, and fails the test where that is refused.
func (e *Engine) Clear(name, user string, seq uint64) actors.Reply {
	e.t.Helper()
	return e.must(name, &conversation.Clear{User: user, Seq: seq})
}

// Set proposes a member's settings, and fails the test where that is refused.
func (e *Engine) Set(name string, settings conversation.Set) actors.Reply {
	e.t.Helper()
	return e.must(name, &settings)
}

// Hold proposes that a conversation is held, or released, and fails the test where that is refused.
func (e *Engine) Hold(name string, on bool) actors.Reply {
	e.t.Helper()
	return e.must(name, &conversation.Hold{On: on})
}

// Delete proposes that the generation there is now ends, and fails the test where there is none or that is refused.
func (e *Engine) Delete(name string) actors.Reply {
	e.t.Helper()
	v := e.View(name, "")
	if v == nil {
		e.t.Fatalf("delete %s: there is no such conversation", name)
	}
	r := e.Send(&actors.Proposal{Conversation: name, Change: &conversation.Delete{}, IfGeneration: v.Generation})
	if r.Err != nil {
		e.t.Fatalf("delete %s: %v", name, r.Err)
	}
	return r
}
