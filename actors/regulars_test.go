package actors

import (
	"fmt"
	"testing"
)

func TestWhoIsOfUseOftenIsARegular(t *testing.T) {
	const bound = 1_000
	var r regulars
	regular := func(name string) bool {
		r.add(name, bound)
		return r.count(name) >= regularVisits
	}
	for i := range regularVisits {
		if got := regular("a:1"); got != (i == regularVisits-1) {
			t.Errorf("after %d uses: %v", i+1, got)
		}
	}
	strangers := 0
	for i := range 20 * bound { // each of ten times the bound twice, far apart
		if regular(fmt.Sprint("b:", i%(10*bound))) {
			strangers++
		}
	}
	if strangers > bound/5 {
		t.Errorf("%d of %d that are of use twice pass for regulars", strangers, 10*bound)
	}
	if regular("a:1") {
		t.Error("who was not of use for long still is a regular")
	}
	late := 0
	for round := range 10 { // a hot set among strangers
		for i := range bound / 10 {
			if !regular(fmt.Sprint("hot:", i)) && round >= 2*regularVisits {
				late++
			}
			regular(fmt.Sprint("c:", round, ":", i))
		}
	}
	if late > 0 {
		t.Errorf("%d of a tenth of the bound, in use all the time, are no regulars", late)
	}
}
