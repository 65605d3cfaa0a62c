package journal_test

import (
	"slices"
	"testing"
	"testing/synctest"
)

func TestPendingAreThoseWithRowsThatTheStoreDoesNotShow(t *testing.T) {
	inBubble(t, func(f *fixture) {
		names := []string{"group:3", "group:1", "group:none", "group:2"}
		want := func(when string, places ...int) {
			f.Helper()
			if got := f.Pending(names); !slices.Equal(got, places) {
				f.Errorf("%s: got %v, want %v", when, got, places)
			}
		}
		want("at first")
		f.add("group:1", head("group:1", "h1"))
		f.add("group:3", deleted(tail("group:3", "")))
		want("with an open batch", 0, 1)
		release := f.hold(nil)
		f.Flush()
		synctest.Wait()
		f.add("group:2", head("group:2", "h2"))
		f.add("group:1", head("group:1", "h2"))
		want("while that is written, with another open", 0, 1, 3)
		release()
		want("once the first is in the store", 1, 3)
		f.advance(interval)
		want("once all is in the store")
	})
}
