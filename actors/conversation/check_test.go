package conversation_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

const highest = 1 << 62 // of the numbers of messages

// forEver is the last second of the year 9999, until which what is muted for ever is muted.
var forEver = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func TestChangesAtTheirLimitsAreGood(t *testing.T) {
	longest := strings.Repeat("é", 127) + "x"
	changes := []conversation.Change{
		&conversation.Post{Seq: 1, Sender: "a"},
		&conversation.Post{
			Seq: highest, Sender: longest, Preview: make([]byte, conversation.MaxPreview),
			Mentions: crowd(0, conversation.MaxMentions), Members: crowd(0, conversation.MaxUsers),
		},
		&conversation.Join{Users: []string{"a"}},
		&conversation.Join{Users: crowd(0, conversation.MaxUsers), VisibleFrom: 1, UnreadFrom: 1},
		&conversation.Leave{Users: []string{longest}},
		&conversation.Leave{Users: crowd(0, conversation.MaxUsers), Keep: true},
		&conversation.Read{User: "a", Seq: 1},
		&conversation.Read{User: longest, Seq: highest},
		&conversation.Clear{User: "a", Seq: 1},
		&conversation.Clear{User: longest, Seq: highest, Hide: true},
		&conversation.Amend{Seq: 1},
		&conversation.Amend{Seq: highest, Preview: make([]byte, conversation.MaxPreview), Retracted: true},
		&conversation.Deliver{User: "a", Seq: 1},
		&conversation.Deliver{User: longest, Seq: highest},
		&conversation.MarkUnread{User: "a"},
		&conversation.MarkUnread{User: longest, Seq: highest},
		&conversation.Set{User: "a"},
		&conversation.Set{
			User: longest, Pin: new(uint64(math.MaxUint64)), MutedUntil: &forEver, Hide: new(persistence.HideAlways), Tags: new(uint64(math.MaxUint64)),
			Custom: make([]byte, conversation.MaxCustom), Draft: &conversation.Draft{Text: make([]byte, conversation.MaxDraft)},
		},
		&conversation.Set{
			User: "a", Pin: new(uint64(0)), MutedUntil: &time.Time{}, Hide: new(persistence.HideNone), Tags: new(uint64(0)), Custom: []byte{}, Draft: &conversation.Draft{},
		},
		&conversation.Set{User: "a", MutedUntil: new(forEver.In(time.FixedZone("ahead", 12*3600)))},
		&conversation.Hold{},
		&conversation.Hold{On: true},
		&conversation.Delete{},
	}
	for _, change := range changes {
		if err := conversation.Check(change); err != nil {
			t.Errorf("%s: %v", change.Kind(), err)
		}
	}
}

func TestABadFieldIsNamedAsTheWireDoes(t *testing.T) {
	with := func(at int, user string) []string {
		users := crowd(0, 5)
		users[at] = user
		return users
	}
	tests := []struct {
		field  string
		change conversation.Change
	}{
		{"change", nil},
		{"post", (*conversation.Post)(nil)},
		{"join", (*conversation.Join)(nil)},
		{"leave", (*conversation.Leave)(nil)},
		{"read", (*conversation.Read)(nil)},
		{"clear", (*conversation.Clear)(nil)},
		{"delete", (*conversation.Delete)(nil)},
		{"post.seq", &conversation.Post{Sender: "a"}},
		{"post.seq", &conversation.Post{Seq: highest + 1, Sender: "a"}},
		{"post.seq", &conversation.Post{Seq: math.MaxUint64, Sender: "a"}},
		{"post.sender", &conversation.Post{Seq: 1}},
		{"post.sender", &conversation.Post{Seq: 1, Sender: strings.Repeat("a", 256)}},
		{"post.sender", &conversation.Post{Seq: 1, Sender: "a\x00"}},
		{"post.sender", &conversation.Post{Seq: 1, Sender: "a\xff"}},
		{"post.preview", &conversation.Post{Seq: 1, Sender: "a", Preview: make([]byte, conversation.MaxPreview+1)}},
		{"post.mentions", &conversation.Post{Seq: 1, Sender: "a", Mentions: crowd(0, conversation.MaxMentions+1)}},
		{"post.mentions[3]", &conversation.Post{Seq: 1, Sender: "a", Mentions: with(3, "")}},
		{"post.members", &conversation.Post{Seq: 1, Sender: "a", Members: crowd(0, conversation.MaxUsers+1)}},
		{"post.members[0]", &conversation.Post{Seq: 1, Sender: "a", Members: with(0, "\x00")}},
		{"join.users", &conversation.Join{}},
		{"join.users", &conversation.Join{Users: crowd(0, conversation.MaxUsers+1)}},
		{"join.users[4]", &conversation.Join{Users: with(4, strings.Repeat("a", 256))}},
		{"leave.users", &conversation.Leave{}},
		{"leave.users", &conversation.Leave{Users: crowd(0, conversation.MaxUsers+1)}},
		{"leave.users[1]", &conversation.Leave{Users: with(1, "\xff")}},
		{"read.user", &conversation.Read{Seq: 1}},
		{"read.seq", &conversation.Read{User: "a"}},
		{"read.seq", &conversation.Read{User: "a", Seq: highest + 1}},
		{"clear.user", &conversation.Clear{Seq: 1}},
		{"clear.seq", &conversation.Clear{User: "a"}},
		{"clear.seq", &conversation.Clear{User: "a", Seq: highest + 1}},
		{"amend", (*conversation.Amend)(nil)},
		{"deliver", (*conversation.Deliver)(nil)},
		{"mark_unread", (*conversation.MarkUnread)(nil)},
		{"set", (*conversation.Set)(nil)},
		{"hold", (*conversation.Hold)(nil)},
		{"amend.seq", &conversation.Amend{}},
		{"amend.seq", &conversation.Amend{Seq: highest + 1}},
		{"amend.preview", &conversation.Amend{Seq: 1, Preview: make([]byte, conversation.MaxPreview+1)}},
		{"deliver.user", &conversation.Deliver{Seq: 1}},
		{"deliver.user", &conversation.Deliver{User: "a\x00", Seq: 1}},
		{"deliver.seq", &conversation.Deliver{User: "a"}},
		{"deliver.seq", &conversation.Deliver{User: "a", Seq: highest + 1}},
		{"mark_unread.user", &conversation.MarkUnread{Seq: 1}},
		{"mark_unread.user", &conversation.MarkUnread{User: strings.Repeat("a", 256)}},
		{"mark_unread.seq", &conversation.MarkUnread{User: "a", Seq: highest + 1}},
		{"set.user", &conversation.Set{}},
		{"set.user", &conversation.Set{User: "a\xff"}},
		{"set.muted_until", &conversation.Set{User: "a", MutedUntil: new(forEver.Add(time.Second))}},
		{"set.muted_until", &conversation.Set{User: "a", MutedUntil: new(forEver.Add(time.Second).In(time.FixedZone("behind", -12*3600)))}},
		{"set.hide", &conversation.Set{User: "a", Hide: new(persistence.HideAlways + 1)}},
		{"set.hide", &conversation.Set{User: "a", Hide: new(persistence.Hide(255))}},
		{"set.custom", &conversation.Set{User: "a", Custom: make([]byte, conversation.MaxCustom+1)}},
		{"set.draft.text", &conversation.Set{User: "a", Draft: &conversation.Draft{Text: make([]byte, conversation.MaxDraft+1)}}},
	}
	for _, test := range tests {
		err := conversation.Check(test.change)
		fault, ok := errors.AsType[*conversation.Error](err)
		if !ok || !errors.Is(err, conversation.ErrInvalid) || fault.Field != test.field || fault.Reason == "" {
			t.Errorf("%T %+v: got %#v, want ErrInvalid of %s with a reason", test.change, test.change, err, test.field)
		}
	}
}

func TestNamesAreCheckedAlike(t *testing.T) {
	for _, bad := range []string{"", "group", "group:", ":42", "group:4\x002", "group:\xff", "group:" + strings.Repeat("4", 250)} {
		err := conversation.CheckConversation(bad)
		if fault, ok := errors.AsType[*conversation.Error](err); !ok || !errors.Is(err, conversation.ErrInvalid) || fault.Field != "conversation" {
			t.Errorf("conversation %q: got %v, want ErrInvalid of conversation", bad, err)
		}
	}
	for _, good := range []string{"a:b", "lx:y:z", "group:" + strings.Repeat("4", 249)} {
		if err := conversation.CheckConversation(good); err != nil {
			t.Errorf("conversation %q: %v", good, err)
		}
	}
	err := conversation.CheckUser("users[7]", "")
	if fault, ok := errors.AsType[*conversation.Error](err); !ok || !errors.Is(err, conversation.ErrInvalid) || fault.Field != "users[7]" {
		t.Errorf(`user "": got %v, want ErrInvalid of users[7]`, err)
	}
	if err := conversation.CheckUser("user", "ann"); err != nil {
		t.Errorf("user ann: %v", err)
	}
}

func TestKindsAreNamedAsOnTheWire(t *testing.T) {
	for want, change := range map[string]conversation.Change{
		"post": &conversation.Post{}, "join": &conversation.Join{}, "leave": &conversation.Leave{},
		"read": &conversation.Read{}, "clear": &conversation.Clear{}, "delete": &conversation.Delete{},
		"amend": &conversation.Amend{}, "deliver": &conversation.Deliver{}, "mark_unread": &conversation.MarkUnread{}, "set": &conversation.Set{}, "hold": &conversation.Hold{},
	} {
		if got := change.Kind(); got != want {
			t.Errorf("%T is of kind %q, want %q", change, got, want)
		}
	}
}

func TestTheSubjectOfAChangeIsTheOneUserItIsAbout(t *testing.T) {
	for _, test := range []struct {
		change conversation.Change
		user   string
		ok     bool
	}{
		{&conversation.Read{User: "bob", Seq: 1}, "bob", true},
		{&conversation.Clear{User: "bob", Seq: 1}, "bob", true},
		{&conversation.Deliver{User: "bob", Seq: 1}, "bob", true},
		{&conversation.MarkUnread{User: "bob"}, "bob", true},
		{&conversation.Set{User: "bob"}, "bob", true},
		{&conversation.Amend{Seq: 1}, "", false},
		{&conversation.Hold{On: true}, "", false},
		{join("bob"), "bob", true},
		{leave("bob"), "bob", true},
		{join("ann", "bob"), "", false},
		{leave("ann", "bob"), "", false},
		{say(1, "ann"), "", false},
		{&conversation.Delete{}, "", false},
	} {
		if user, ok := conversation.Subject(test.change); ok != test.ok || (ok && user != test.user) {
			t.Errorf("%s %+v is about %q, %v; want %q, %v", test.change.Kind(), test.change, user, ok, test.user, test.ok)
		}
	}
}
