package contest

import "testing"

func TestWhatTheHostTookIsAPartOfWhatWasAsked(t *testing.T) {
	before := parseProcessors("cpu  100 0 50 1000 30 0 10 40 5 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
	after := parseProcessors("cpu  160 10 70 9000 90 0 10 50 60 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
	if got := after.stolenSince(before); got != 0.1 { // 10 of 60+10+20+10: who was idle, or waited for a disk, asked for nothing
		t.Errorf("%v was stolen, want a tenth", got)
	}
	for _, unreadable := range []string{"", "cpu\n", "cpu 1 2 3 4 5 6 7\n", "intr 1 2 3 4 5 6 7 8 9\n", "cpu 1 x 3 4 5 6 7 8 9 10\n"} {
		if got := parseProcessors(unreadable); got != (processors{}) {
			t.Errorf("%q: %v, want nothing", unreadable, got)
		}
	}
	if got := before.stolenSince(before); got != 0 {
		t.Errorf("%v was stolen in no time", got)
	}
}
