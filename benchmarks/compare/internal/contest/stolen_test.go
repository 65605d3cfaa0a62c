package contest

import (
	"testing"

	"github.com/prometheus/procfs"
)

func TestWhatTheHostTookIsAPartOfWhatWasAsked(t *testing.T) {
	before := procfs.CPUStat{User: 100, System: 50, Idle: 1000, Iowait: 30, SoftIRQ: 10, Steal: 40, Guest: 5}
	after := procfs.CPUStat{User: 160, Nice: 10, System: 70, Idle: 9000, Iowait: 90, SoftIRQ: 10, Steal: 50, Guest: 60}
	if got := stolen(before, after); got != 0.1 { // 10 of 60+10+20+10: who was idle, or waited for a disk, asked for nothing
		t.Errorf("%v was stolen, want a tenth", got)
	}
	if got := stolen(before, before); got != 0 {
		t.Errorf("%v was stolen in no time", got)
	}
}
