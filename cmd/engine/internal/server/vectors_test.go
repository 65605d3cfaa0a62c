package server

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/internal/racing"
)

func TestEveryDoorAnswersAVectorAlike(t *testing.T) {
	page := readPage(t)
	for i, v := range loadVectors(t) {
		t.Run(v.topic+"/"+v.Name, func(t *testing.T) {
			t.Parallel()
			manners := v.manners()
			if racing.Enabled { // one other manner for each vector, so that all have their turn
				manners = []manner{manners[0], manners[1+i%(len(manners)-1)]}
			}
			var first []string
			for j, m := range manners {
				var transcript []string
				t.Run(m.String(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { transcript = v.run(t, page, m) })
				})
				if j == 0 {
					first = transcript
				} else if diff := cmp.Diff(first, transcript); diff != "" && !t.Failed() {
					t.Errorf("what is seen is not the same (-%v +%v):\n%s", manners[0], m, diff)
				}
			}
		})
	}
}

// manners returns the manners in which a vector is run.
func (v *vector) manners() []manner {
	doors := v.through()
	var manners []manner
	for _, door := range doors {
		manners = append(manners, manner{door: door})
	}
	if v.Once == "" {
		manners = append(manners, manner{door: doors[0], twice: true})
	}
	return append(manners, manner{door: doors[0], restarts: true})
}

// through returns the doors that a vector is run through. Connect's binary form and gRPC-Web differ from gRPC by how a message is wrapped: what has
// a say in that are refusals, batches and looks of every kind.
func (v *vector) through() []string {
	switch {
	case v.Doors != nil:
		return v.Doors
	case slices.Contains([]string{"refused", "batch", "shown", "sync"}, v.topic):
		return doorNames()
	}
	return []string{"go", "actor", "json", "grpc"}
}

func TestOnlyWhatNoOtherDoorCanSayIsLeftOutThere(t *testing.T) {
	for _, v := range loadVectors(t) {
		if v.Doors != nil && v.topic != "refused" {
			t.Errorf("%s: %q is run through %v alone", v.topic, v.Name, v.Doors)
		}
	}
}
