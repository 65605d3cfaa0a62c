package journal_test

import (
	"fmt"
	"testing"

	"github.com/parley-im/parley/actors/conversation"
)

func TestAnyNumberOfChangesToARowBetweenTwoFlushesCostsOneWrite(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for i := range 100 {
			f.add("group:1", head("group:1", fmt.Sprint(i)), tail("group:1", fmt.Sprint(-i)))
		}
		f.advance(interval)
		f.wantTried(lines(head("group:1", "99"), tail("group:1", "-99")))
		if got := f.Stats().Flushed; got != 2 {
			t.Errorf("rows written: got %d, want 2", got)
		}
	})
}

func TestTheRowsOfAConversationAreOneGroup(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for i := range 3 {
			for _, name := range []string{"group:1", "group:2"} {
				user := fmt.Sprint("user", i)
				f.add(name, head(name, fmt.Sprint(i)), membership(user, name, "m"))
			}
		}
		f.advance(interval)
		if len(f.commits) != 1 || len(f.commits[0].Groups) != 2 {
			t.Fatalf("got %d commits, want 1, of two groups: %q", len(f.commits), f.tried())
		}
		for i, name := range []string{"group:1", "group:2"} {
			if got := len(f.commits[0].Groups[i].Puts); got != 4 {
				t.Errorf("the group of %s: got %d rows, want its head and 3 memberships", name, got)
			}
		}
	})
}

func TestWritesOfARowMergeIntoOneThatComesToTheSame(t *testing.T) {
	first, second := due("group:1", 7, "first"), due("group:1", 7, "second")
	for _, test := range []struct {
		name   string
		writes []conversation.Write
		want   conversation.Write
	}{
		{"put, put", []conversation.Write{first, second}, second},
		{"put, delete", []conversation.Write{first, deleted(second)}, deleted(second)},
		{"delete, put", []conversation.Write{deleted(first), second}, second},
		{"put, put if present", []conversation.Write{first, ifPresent(second)}, second},
		{"delete, put if present", []conversation.Write{deleted(first), ifPresent(second)}, deleted(second)},
		{"put if present, put if present", []conversation.Write{ifPresent(first), ifPresent(second)}, ifPresent(second)},
		{"put if present, put", []conversation.Write{ifPresent(first), second}, second},
		{"put if present, delete", []conversation.Write{ifPresent(first), deleted(second)}, deleted(second)},
		{"put, put if present, put if present", []conversation.Write{first, ifPresent(first), ifPresent(second)}, second},
		{"put, delete, put if present", []conversation.Write{first, deleted(first), ifPresent(second)}, deleted(second)},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				for _, w := range test.writes {
					f.add("group:1", w)
				}
				if got := f.Stats().Rows; got != 1 {
					t.Errorf("rows in the journal: got %d, want 1", got)
				}
				f.advance(interval)
				f.wantTried(lines(test.want))
			})
		})
		t.Run(test.name+", in one change", func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.add("group:1", test.writes...)
				f.advance(interval)
				f.wantTried(lines(test.want))
			})
		})
	}
}

func TestAJournalIsAsLargeAsWhatIsInIt(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.add("group:1", head("group:1", "0123456789"))
		one := f.Stats().Bytes
		f.add("group:1", head("group:1", "0"))
		if got := f.Stats().Bytes; got != one-9 {
			t.Errorf("after a value shrank by 9 bytes: got %d bytes, want %d", got, one-9)
		}
		f.advance(interval)
		if s := f.Stats(); s.Bytes != 0 || s.Rows != 0 || s.Age != 0 {
			t.Errorf("after the flush: got %+v, want nothing in it", s)
		}
	})
}
