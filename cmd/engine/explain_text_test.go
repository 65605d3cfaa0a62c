package main

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// troubled is a conversation of which about everything that can be wrong is.
func troubled(name string) *parleyv1.ExplainConversationResponse {
	at := func(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(explainedHour.Add(d)) }
	return &parleyv1.ExplainConversationResponse{
		Conversation: name, Shard: 7, Now: at(0), Life: parleyv1.Life_LIFE_QUEUED,
		Policy: &parleyv1.PolicyExplanation{Namespace: name, ExpireAfter: durationpb.New(90 * time.Minute), ExpireIdle: durationpb.New(time.Hour), MembersRequired: true},
		Head: &parleyv1.HeadExplanation{
			Generation: 12, Epoch: 1, Number: 12, Floor: 3, Version: 4, LastSeq: 2000, Members: 1, Pins: 2, Held: true, Large: true, Born: at(-time.Hour),
			LastPost: at(-time.Minute), LastChange: at(0),
		},
		Deadline: &parleyv1.DeadlineExplanation{Deadline: at(-time.Second), Origin: parleyv1.DeadlineOrigin_DEADLINE_ORIGIN_CUT},
		Due:      &parleyv1.DueExplanation{At: at(-time.Minute), Early: durationpb.New(59 * time.Second), LooksAt: at(time.Minute)},
		Index:    &parleyv1.IndexExplanation{Large: true},
		Memory:   &parleyv1.MemoryExplanation{State: parleyv1.MemoryState_MEMORY_QUARANTINED, Until: at(time.Minute), Reason: "it failed 5 times in a row: \x1b[2J"},
		Journal: &parleyv1.JournalExplanation{
			HeadRows: 1, MemberRows: 2, EntryRows: 3, DueRows: 4, Bytes: 500, Age: durationpb.New(1500 * time.Millisecond), Batch: 9, Writing: true, Durable: true, Flushed: 7,
			Failed: 3, Error: "disk on fire", Barred: "the store does not take its rows",
		},
		Reaper: &parleyv1.ReaperExplanation{
			Generations: []*parleyv1.ReapExplanation{
				{Generation: 11, Stage: parleyv1.Life_LIFE_DELETING, Due: at(-time.Hour)},
				{Generation: 12, Stage: parleyv1.Life_LIFE_FLUSHING, Due: at(-time.Minute), Ahead: 5, After: 9, Tried: true, Failures: 2},
			},
			Waiting: 6, Failures: 4, Error: "disk on fire", Resumes: at(5 * time.Second),
		},
		Changes: &parleyv1.ChangesExplanation{Recording: true, Since: at(-time.Minute), Changes: []*parleyv1.RecentChange{
			{At: at(-time.Second), Changed: &parleyv1.Changed{LastSeq: 2000, Kinds: []string{"post", "read"}, Users: []string{"ann", "bob"}, Origin: "phone"}},
			{At: at(-2 * time.Second), Changed: &parleyv1.Changed{LastSeq: 1999, Kinds: []string{"post"}}},
		}},
		User: &parleyv1.UserExplanation{
			User: name, Member: true, Left: true, Keep: true, VisibleFrom: 2, VisibleTo: 1990, Pending: true, Muted: true, MutedUntil: at(time.Hour), Changed: at(0),
			Hide: parleyv1.Hide_HIDE_UNTIL_MESSAGE, Listed: true,
			Unread: &parleyv1.UnreadSum{
				Last: 1990, Read: 2010, Cleared: 3, Before: 1, From: 1990, Older: 5, SendersUnknown: 700, Marked: true, ReadAhead: 10, Everyone: []uint64{1989},
			},
			Entries: []*parleyv1.EntryExplanation{{Kind: parleyv1.EntryKind_ENTRY_MERGED}},
		},
	}
}

func TestWhatIsWrongWithAConversationIsPlainToSee(t *testing.T) {
	want := `group:42, shard 7, at 2026-03-01 12:00:00.000 UTC

life        over since 2026-03-01 11:59:59.000 (1s ago); judged over, and in the reaper's queue
generation  12: number 12 of epoch 1; those before it reached message 3
head        last seq 2000 of an unknown sender, version 4, 1 member, 2 pins, large, held
activity    last post that was not silent 2026-03-01 11:59:00.000 (1m0s ago),
            last change that members are shown 2026-03-01 12:00:00.000 (now),
            begun 2026-03-01 11:00:00.000 (1h0m0s ago)
policy      the default, as none is set for the namespace group:42: expire_after 1h30m, expire_idle
            1h, new_generation members_required
deadline    2026-03-01 11:59:59.000 (1s ago): the time of the last change, at which the time that
            the policy asks for was over
due entry   2026-03-01 11:59:00.000, MISSING from the index, 59s before the deadline: it moves there
            when it comes due
            the reaper looks at the shard's index next at 2026-03-01 12:01:00.000 (in 1m0s)
lists       merged entries, which do not move: it has, or had, more than 64 members
memory      QUARANTINED until 2026-03-01 12:01:00.000 (in 1m0s):
            it failed 5 times in a row:  [2J
journal     10 rows not in the store yet, for 1.5s: 1 of the head, 2 of users, 3 of lists, 4 of the
            due index; 500 bytes
            up to batch 9, of which some is being written; the last that was written is 7
            all of it is in the log: a crash takes none of it back
            NOTHING IS TAKEN: the store does not take its rows
            the last attempt to write FAILED (3 so far): disk on fire
reaper      generation 11, due 2026-03-01 11:00:00.000: its rows are being deleted
            generation 12, due 2026-03-01 11:59:00.000: judged over, and waiting for the journal to
            be written, up to batch 9, 5 before it, a batch with it failed, it failed alone 2 times
            its next batch may begin 2026-03-01 12:00:05.000 (in 5s)
            its last attempt FAILED (4 batches in a row): disk on fire
changes     kept since 2026-03-01 11:59:00.000 (1m0s ago); earlier ones are not known
            2026-03-01 11:59:59.000 (1s ago) post read, for ann bob, last seq 2000, from phone
            2026-03-01 11:59:58.000 (2s ago) post, for everybody, last seq 1999

group:42

member      left, but keeps it in their list; version 0, revision 0, last changed 2026-03-01
            12:00:00.000 (now); not all of it is in the store yet
sees        messages 2 to 1990
unread              1990  the last message that they may see, of 2000
            -       1990  the highest of: read 2010, cleared 3, before they see any 1, but at most
            the last
            -          0  silent or retracted
            -          0  their own
            =          0  unread (not exact: of 700 the sender is not known any more, and 5 count as
            numbered)
            they have read 10 messages ahead
            and they marked it unread, until they read it next
mentions    1: 1989 name everybody
delivered   up to 0; read never
in the list yes; hidden until the next message
            merged entry: MISSING
muted       until 2026-03-01 13:00:00.000 (in 1h0m0s)
own         pin 0, tags 0x0, 0 bytes of custom data, 0 bytes of a draft
`
	if diff := cmp.Diff(want, conversationText(troubled("group:42"))); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

func TestAnExplanationOfAConversationFitsATerminalWhateverIsInIt(t *testing.T) {
	fits := func(x *parleyv1.ExplainConversationResponse) {
		t.Helper()
		for line := range strings.Lines(conversationText(x)) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > textWidth {
				t.Errorf("a line of %d characters: %s", n, line)
			}
			if strings.ContainsFunc(line, unicode.IsControl) {
				t.Errorf("a line moves the cursor: %q", line)
			}
		}
	}
	for _, name := range []string{strings.Repeat("é", 127), strings.Repeat("\x07", 255)} {
		x := troubled(name)
		x.Head.LastSender, x.Journal.Error = name, strings.Repeat("x", 500)+"\x1b\u0085"
		x.Changes.Changes[0].Changed.Users, x.Changes.Changes[0].Changed.Origin = []string{name, name}, name
		for range 64 {
			x.User.Unread.Named = append(x.User.Unread.Named, 1<<62)
		}
		// What a later server says beyond this program's knowledge is no reason to fail.
		for number := range int32(12) {
			x.Life, x.Memory.State, x.Deadline.Origin = parleyv1.Life(number), parleyv1.MemoryState(number), parleyv1.DeadlineOrigin(number)
			x.User.Hide, x.Reaper.Generations[0].Stage = parleyv1.Hide(number), parleyv1.Life(number)
			x.Deadline.Steps = []*parleyv1.DeadlineStep{{Rule: parleyv1.Retention(number)}}
			fits(x)
		}
	}
	fits(&parleyv1.ExplainConversationResponse{})
	fits(&parleyv1.ExplainConversationResponse{Life: parleyv1.Life_LIFE_BURIED, User: &parleyv1.UserExplanation{User: "ann", Stale: 1}})
}
