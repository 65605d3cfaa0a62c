package actors_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
)

// heard describes events without their cursors and times.
func heard(t *testing.T, got []actors.Event, want ...actors.Event) {
	t.Helper()
	for i := range got {
		if got[i].At.IsZero() {
			t.Errorf("event %d has no time: %+v", i, got[i])
		}
	}
	ignored := cmp.Options{
		cmpopts.IgnoreFields(actors.Event{}, "Cursor", "At"), cmpopts.IgnoreFields(actors.Expired{}, "Lateness", "Deadline"), cmpopts.EquateEmpty(),
	}
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func propose(t *testing.T, e *actorstest.Engine, p *actors.Proposal) actors.Reply {
	t.Helper()
	r, err := e.Propose(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
