package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// play runs the whole example in virtual time, with something going wrong between two moments, and checks that nothing was lost. It returns what was printed.
func play(t *testing.T, config actors.Config, from, to time.Duration, faults persistencetest.Faults) (printed string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		store := persistencetest.NewStore()
		world := &world{system: actorstest.NewHost(t), store: store, config: config, out: &out, log: newMessageLog(), began: time.Now()}
		time.AfterFunc(from, func() { store.SetFaults(faults) })
		time.AfterFunc(to, func() { store.SetFaults(persistencetest.Faults{}) })
		if err := world.run(t.Context()); err != nil {
			t.Errorf("run: %v", err)
		}
		printed = out.String()

		// Another engine on the same store knows of all that is in the log.
		e := actorstest.StartOn(t, store, nil, actors.Config{})
		for name, last := range world.log.last() {
			if v := e.View(name, ""); name != "flash:quiz" && (v == nil || v.LastSeq != last) {
				t.Errorf("%s has %d messages, the engine knows %+v", name, last, v)
			}
		}
		if n := len(world.log.last()); n != len(rooms()) {
			t.Errorf("messages were sent in %d rooms, want all %d", n, len(rooms()))
		}
		pushedOnceAndInOrder(t, printed)
	})
	if t.Failed() {
		t.Logf("printed:\n%s", printed)
	}
	return printed
}

// pushedOnceAndInOrder checks what a device was pushed that sends nothing itself, in the room where most is said.
func pushedOnceAndInOrder(t *testing.T, printed string) {
	t.Helper()
	var got []int
	for _, m := range regexp.MustCompile(`ann/laptop gets team:lunch (\d+) `).FindAllStringSubmatch(printed, -1) {
		seq, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, seq)
	}
	if len(got) < 4 || got[len(got)-1] != 8 {
		t.Errorf("ann's laptop was pushed %v, want all but what was in its list, up to 8", got)
	}
	for i := 1; i < len(got); i++ {
		if got[i] != got[i-1]+1 {
			t.Errorf("ann's laptop was pushed %v, want each message once and in order", got)
			return
		}
	}
}

func TestTheExampleShowsEverybodyWhatTheyShouldSee(t *testing.T) {
	printed := play(t, policies(), 0, 0, persistencetest.Faults{})
	for _, want := range []string{
		"bob/phone is shown",
		"bob/phone gets team:lunch 3 from ann: no. 2 of ann",
		"ann/phone gets dm:ann+bob 4 from ann: no. 2 of ann", // her laptop's
		"ann/phone forgets flash:quiz",
		"flash:quiz: 1 messages in the log, and the conversation is over",
		"team:lunch: 8 messages in the log, the last that the engine knows is 8",
		"+ 0 refused; 1 conversations expired",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("it did not say %q", want)
		}
	}
	for _, own := range []string{"ann/phone gets team:lunch 3 ", "ann/laptop gets dm:ann+bob 4 "} {
		if strings.Contains(printed, own) {
			t.Errorf("a device was pushed what it had sent itself: %q", own)
		}
	}
	if t.Failed() {
		t.Logf("printed:\n%s", printed)
	}
}

func TestNothingIsLostWhileTheStoreFails(t *testing.T) {
	play(t, policies(), 100*time.Millisecond, 700*time.Millisecond, persistencetest.Faults{
		BeforeCommit: func(persistence.Batch) error { return actorstest.ErrBroken },
	})
}

func TestNothingIsLostWhileTheStoreFailsUntilAfterTheLastMessage(t *testing.T) {
	play(t, policies(), 100*time.Millisecond, 30*time.Second, persistencetest.Faults{
		BeforeCommit: func(persistence.Batch) error { return actorstest.ErrBroken },
	})
}

func TestNothingIsLostWhileTheDiskIsFull(t *testing.T) {
	printed := play(t, policies(), 100*time.Millisecond, 3*time.Second, persistencetest.Faults{
		BeforeCommit: func(persistence.Batch) error { return persistence.ErrStoreFull },
	})
	if !strings.Contains(printed, "waits: overloaded") {
		t.Errorf("nobody had to wait:\n%s", printed)
	}
}

func TestNothingIsLostWhileAnswersAreLost(t *testing.T) {
	play(t, policies(), 100*time.Millisecond, 700*time.Millisecond, persistencetest.Faults{
		AfterCommit: func(persistence.Batch, []persistence.Result) error { return actorstest.ErrBroken },
	})
}

func TestNothingIsLostWhileTheStoreCannotBeRead(t *testing.T) {
	config := policies()
	config.IdleAfter, config.MaxPackedBytes = 20*time.Millisecond, -1 // so that conversations must be read again
	printed := play(t, config, 100*time.Millisecond, 700*time.Millisecond, persistencetest.Faults{
		Get:  func([]byte) error { return actorstest.ErrBroken },
		Scan: func(persistence.Range, int) error { return actorstest.ErrBroken },
	})
	if !strings.Contains(printed, "waits: unavailable") {
		t.Errorf("nobody had to wait:\n%s", printed)
	}
}

func TestNothingIsLostWhileTheEngineIsOverloaded(t *testing.T) {
	config := policies()
	config.MaxJournalBytes = 100 // one change fills it
	hold := 300 * time.Millisecond
	printed := play(t, config, 100*time.Millisecond, 700*time.Millisecond, persistencetest.Faults{
		Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpCommit {
				return hold
			}
			return 0
		},
	})
	if !strings.Contains(printed, "waits: overloaded") {
		t.Errorf("nobody had to wait:\n%s", printed)
	}
}

func TestTheExampleEndsEarlyWhenItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		store := persistencetest.NewStore()
		world := &world{system: actorstest.NewHost(t), store: store, config: policies(), out: &out, log: newMessageLog(), began: time.Now()}
		ctx, cancel := contextWithTimeout(t, 250*time.Millisecond)
		defer cancel()
		if err := world.run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
		if took := time.Since(world.began); took > 260*time.Millisecond+patience {
			t.Errorf("it took %v", took)
		}
		if want := fmt.Sprintf("team:lunch: %[1]d messages in the log, the last that the engine knows is %[1]d", world.log.last()["team:lunch"]); !strings.Contains(out.String(), want) {
			t.Errorf("it did not say %q, but\n%s", want, out.String())
		}
	})
}
