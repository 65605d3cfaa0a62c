package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

// explained is an explanation in which nothing is left out.
func explained() *actors.ConversationExplanation {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	instant := persistence.InstantOf(at)
	err := errors.New("why")
	return &actors.ConversationExplanation{
		Conversation: "group:42", Shard: 77, Now: at, Life: actors.LifeQueued,
		Policy: actors.PolicyExplanation{Namespace: "group", Named: true, Policy: conversation.Policy{
			ExpireAfter: 1, ExpireIdle: 2, ExpireAge: 3, ExpireJitter: 4, KeepPinned: true, KeepUnread: true, TombstoneFor: 7, MaxMembers: 8, MaxPreview: 9, RequireMembers: true, MaxSeqJump: 5, ReceiptsUpTo: 6,
		}},
		Head: &persistence.Head{
			Generation: 1<<40 | 7, Version: 2, Born: instant, Floor: 3, LastSeq: 4, LastSender: "ann", Preview: []byte("x"), Activity: instant, Members: 5, Pins: 6,
			Held: true, Changed: instant, Large: true, Rewinds: []persistence.Rewind{{Number: 1}},
		},
		Tombstone: &actors.TombstoneExplanation{
			Generation: 8, LastSeq: 9, Until: at,
			Event: &persistence.Event{At: instant, Ended: persistence.Ended{Reason: persistence.ReasonDeleted, Deadline: instant}},
		},
		Deadline: conversation.DeadlineSum{
			Deadline: instant, Origin: conversation.OriginCut, Held: true, Pinned: true, Unread: true, Witness: "cid", First: conversation.RetentionIdle, Jitter: 1, Asked: instant,
			Steps: []conversation.DeadlineStep{{Rule: conversation.RetentionAge, From: instant, After: 1, At: instant, AtLeast: true}},
		},
		Due:    actors.DueExplanation{At: at, Present: true, Pending: true, Early: 1, LooksFrom: at, LooksAt: at},
		Index:  actors.IndexExplanation{Large: true, Listed: at, ListedMoves: at, Noticed: at, NoticedMoves: at},
		Memory: &actors.MemoryExplanation{State: actors.MemoryQuarantined, Queued: 1, LastUsed: at, Failures: 2, Until: at, Reason: err},
		Journal: &actors.JournalExplanation{
			HeadRows: 1, MemberRows: 2, EntryRows: 3, DueRows: 4, Bytes: 5, Age: 6, Batch: 7, Writing: true, Durable: true, Flushed: 8, Err: err, Failed: 9, Barred: err,
		},
		Reaper: &actors.ReaperExplanation{
			Generations: []actors.ReapExplanation{{Generation: 1, Stage: actors.LifeFlushing, Due: at, Ahead: 2, After: 3, Tried: true, Failures: 4}},
			Err:         err, Failures: 5, Resumes: at, Waiting: 6,
		},
		Changes: &actors.ChangesExplanation{Recording: true, Since: at, Changes: []actors.RecentChange{
			{At: at, Generation: 1, Changed: actors.Changed{Version: 2, LastSeq: 3, Kinds: []string{"post"}, Users: []string{"bob"}, Origin: "phone"}},
		}},
		User: &actors.UserExplanation{
			User: "bob", Stale: 1, Muted: true, Hide: persistence.HideAlways, Listed: true, Pending: true,
			Membership: &persistence.Membership{
				Left: true, Keep: true, VisibleFrom: 1, VisibleTo: 2, MutedUntil: instant, Pin: 3, Tags: 4, ReadSeq: 5, Custom: []byte("x"), Version: 6, Revision: 7,
				Draft: &persistence.Draft{Text: []byte("x")}, ReadAt: instant, Changed: instant,
			},
			Unread: conversation.UnreadSum{
				Last: 1, Read: 2, Cleared: 3, Before: 4, From: 5, Uncounted: 6, Own: 7, Unread: 8, Older: 9, SendersUnknown: 10, Marked: true, ReadAhead: 11,
				Mentions: conversation.Mentions{Named: []uint64{12}, Everyone: []uint64{13}},
			},
			Entries: []actors.EntryExplanation{{Kind: persistence.EntryNoticed, At: at, Moves: at, Present: true}},
		},
	}
}

// unset returns the fields of a message, and of those in it, that have no value.
func unset(path string, m protoreflect.Message) (fields []string) {
	all := m.Descriptor().Fields()
	for i := range all.Len() {
		f := all.Get(i)
		at := path + "." + string(f.Name())
		switch {
		case !m.Has(f):
			fields = append(fields, at)
		case f.Message() == nil || f.Message().FullName().Parent() == "google.protobuf":
		case f.IsList():
			fields = append(fields, unset(at, m.Get(f).List().Get(0).Message())...)
		default:
			fields = append(fields, unset(at, m.Get(f).Message())...)
		}
	}
	return fields
}

func TestEverythingThatIsKnownOfAConversationReachesTheOperatorOverEveryWire(t *testing.T) {
	f := start(t, &fakeEngine{explainOne: func(_ context.Context, name, user string) (*actors.ConversationExplanation, error) {
		if name != "group:42" || user != "bob" {
			t.Errorf("asked for %q and %q", name, user)
		}
		return explained(), nil
	}})
	for wire, client := range f.operators() {
		t.Run(wire, func(t *testing.T) {
			r, err := client.ExplainConversation(t.Context(), &parleyv1.ExplainConversationRequest{Conversation: "group:42", User: "bob"})
			if err != nil {
				t.Fatal(err)
			}
			for _, field := range unset("", r.ProtoReflect()) {
				if field != ".user.unread.exact" { // what is not exact is not
					t.Errorf("%s is not told", field)
				}
			}
			h, s := r.GetHead(), r.GetUser().GetUnread()
			switch {
			case r.GetLife() != parleyv1.Life_LIFE_QUEUED || r.GetReaper().GetGenerations()[0].GetStage() != parleyv1.Life_LIFE_FLUSHING:
				t.Errorf("life %v, stage %v", r.GetLife(), r.GetReaper())
			case h.GetEpoch() != 1 || h.GetNumber() != 7 || h.GetFloor() != 3 || h.GetPreviewBytes() != 1:
				t.Errorf("head %v", h)
			case r.GetDeadline().GetOrigin() != parleyv1.DeadlineOrigin_DEADLINE_ORIGIN_CUT || r.GetDeadline().GetFirst() != parleyv1.Retention_RETENTION_IDLE:
				t.Errorf("deadline %v", r.GetDeadline())
			case r.GetMemory().GetState() != parleyv1.MemoryState_MEMORY_QUARANTINED || r.GetMemory().GetReason() != "why":
				t.Errorf("memory %v", r.GetMemory())
			case s.GetLast() != 1 || s.GetOwn() != 7 || s.GetUnread() != 8 || s.GetEveryone()[0] != 13:
				t.Errorf("unread %v", s)
			case r.GetUser().GetEntries()[0].GetKind() != parleyv1.EntryKind_ENTRY_NOTICED || r.GetTombstone().GetReason() != parleyv1.Reason_REASON_DELETED:
				t.Errorf("user %v, tombstone %v", r.GetUser(), r.GetTombstone())
			}
		})
	}
}

func TestAConversationThatCannotBeExplainedIsRefusedByWhatIsWrong(t *testing.T) {
	f, _ := startReal(t)
	client := f.operators()["gRPC"]
	for _, test := range []struct {
		name, user, field string
		code              connect.Code
	}{
		{"group", "", "conversation", connect.CodeInvalidArgument},
		{"group:42", "a\x00", "user", connect.CodeInvalidArgument},
		{"group:42", "", "", connect.CodeNotFound},
	} {
		_, err := client.ExplainConversation(t.Context(), &parleyv1.ExplainConversationRequest{Conversation: test.name, User: test.user})
		if err == nil || connect.CodeOf(err) != test.code || detailOf(t, err).GetField() != test.field {
			t.Errorf("%q for %q: %v, want %v of the field %q", test.name, test.user, err, test.code, test.field)
		}
	}
}
