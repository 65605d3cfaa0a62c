package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// stopFor asks for a pause that is longer than what every run has time for.
var stopFor = flag.Duration("stop", time.Second, "how long a server's process is stopped under load")

const (
	stopClients = 6
	stopNames   = 30 // of each client
	stopAcks    = 60 // of each client, before the pause and after it
	// stopSlew is how far the system may slew its clock between the start of the test's and that of the server's, which both go by elapsed time from there on.
	stopSlew = 20 * time.Millisecond
)

// A server's process is stopped under load, for longer than some conversations have left, and goes on. What was acknowledged before its conversation was over is in what is judged;
// nothing that was touched in time is lost, also where that was before the pause; what was over meanwhile is gone, and in the end everything that may expire has, once each.
func TestNothingIsLostAndNothingStaysWhereAProcessIsStoppedForAWhile(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime+5**stopFor)
	defer cancel()
	dir := t.TempDir()
	brief, long := *stopFor/2, *stopFor*3/2
	policies := fmt.Sprintf("namespaces:\n  brief: {expire_after: %v}\n  long: {expire_after: %v}\n  idle: {expire_idle: %v}\n  keep: {}\n", brief, long, long)
	if err := os.WriteFile(filepath.Join(dir, "engine.yaml"), []byte(policies), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &stopWitness{t: t, start: time.Now(), retention: map[string]time.Duration{"brief": brief, "long": long, "idle": long}, lives: map[stopLife]*stopNote{}, latest: map[string]uint64{}}
	p, err := launch(ctx, dir, "--data", "d", "--config", "engine.yaml")
	if err != nil {
		t.Fatal(err)
	}
	watch, err := dial(t, p).Watch(ctx, &parleyv1.WatchRequest{ExpiredOnly: true})
	if err != nil || !watch.Receive() { // Began
		t.Fatalf("watch: %v, %v", err, watch.Err())
	}

	talking, quiet := context.WithCancel(ctx)
	var (
		clients sync.WaitGroup
		all     atomic.Int64
		acks    = make(chan struct{})
	)
	for i := range stopClients {
		client := dial(t, p)
		clients.Go(func() {
			for n := 0; talking.Err() == nil; n++ {
				name := fmt.Sprintf("%s:%d-%d", [...]string{"brief", "long", "idle", "keep"}[n%4], i, n*7%stopNames)
				request := w.draw(name, n)
				began := w.now()
				response, err := client.Propose(ctx, request)
				if err != nil {
					w.refused(name, request, err)
				} else {
					w.acknowledged(name, request, response, began)
				}
				all.Add(1)
				select {
				case acks <- struct{}{}:
				case <-talking.Done():
				}
			}
		})
	}
	await := func(n int) {
		for range n {
			select {
			case <-acks:
			case <-ctx.Done():
				t.Fatalf("only %d proposals were answered: %v", all.Load(), context.Cause(ctx))
			}
		}
	}
	await(stopAcks * stopClients)
	if err := p.signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	w.pause(&all, acks)
	if err := p.signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	await(stopAcks * stopClients)
	quiet()
	clients.Wait()

	for w.left() > 0 {
		if !watch.Receive() {
			t.Fatalf("%d generations have not expired though nobody touches them: %v", w.left(), watch.Err())
		}
		w.expired(watch.Msg())
	}
	client := dial(t, p)
	for name, generation := range w.latest {
		got, err := client.GetConversation(ctx, &parleyv1.GetConversationRequest{Conversation: name})
		if persistence.Namespace(name) == "keep" && (err != nil || got.GetGeneration() != generation || got.GetLastSeq() < w.lives[stopLife{name, generation}].seq) {
			t.Errorf("%s, which never expires: %v, %v; want generation %d", name, got, err, generation)
		}
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if end, log := p.wait(); end != "" {
		t.Errorf("the process ended with %q:\n%s", end, log)
	}
	wantNothingDue(t, filepath.Join(dir, "d"))
}

// wantNothingDue requires that a directory agrees with itself, and has nothing that is to expire.
func wantNothingDue(t *testing.T, dir string) {
	t.Helper()
	store, err := badgerstore.Open(dir, badgerstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	snapshot, err := store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	for _, violation := range persistencetest.Check(t.Context(), snapshot) {
		t.Error(violation)
	}
	for shard := range persistence.Shard(persistence.Shards) {
		for row, err := range snapshot.Scan(t.Context(), persistence.DueRange(shard, 0, persistence.Never)) {
			t.Errorf("a due entry is left: %q, %v", row.Key, err)
		}
	}
}
