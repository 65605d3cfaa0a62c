package benchmarks_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

const (
	diskSlack     = 64 << 20             // what a directory may take besides
	diskFactor    = 1.5                  // what it may take for each byte of keys and values
	diskKeep      = time.Minute          // of virtual time: events and tombstones go after that
	diskTalkEvery = 5 * time.Millisecond // between two posts whose latency is measured
	talkQuiet     = 2 * time.Second      // of posts alone, for comparison
	diskPoll      = 250 * time.Millisecond
	diskBatch     = 500
)

// BenchmarkDisk has an engine expire conversations of two members, some 300 bytes each on disk, and watches the directory until it is back under 1.5 times what is
// left, and 64 MiB. Somebody posts all the while. Metrics: seconds from the last deletion on until the directory is small; its size before, when all was deleted, and in the end; and the p99 of a post's
// commit when nothing else happens, while conversations are deleted, and during the runs of maintenance.
func BenchmarkDisk(b *testing.B) {
	for b.Loop() {
		w := &diskWatch{B: b, began: time.Now(), virtual: clock.NewVirtual(time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC))}
		w.run()
	}
}

// diskWatch is one round.
type diskWatch struct {
	*testing.B

	began   time.Time
	virtual *clock.Virtual
	store   *badgerstore.Store
	engine  *actors.Engine

	mu   sync.Mutex
	runs []badgerstore.Run
}

func (w *diskWatch) run() {
	every := *disks.every
	if !*disks.maintain {
		every = -1
	}
	store, err := badgerstore.Open(w.TempDir(), badgerstore.Options{MaintainEvery: every, MaintainShare: *disks.share, Maintained: w.ran})
	if err != nil {
		w.Fatal(err)
	}
	w.store = store
	w.engine, err = actors.Start(w.Context(), nil, store, actors.Config{
		Default:    conversation.Policy{ExpireAfter: time.Hour},
		Namespaces: map[string]conversation.Policy{"talk": {}},
		Clock:      w.virtual,
		EventsFor:  diskKeep, SyncHorizon: diskKeep,
		Reaper: actors.ReaperConfig{BatchDelay: -1, MaxRowsPerSecond: -1},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.fill()
	filled := w.disk("filled")
	talk := startDiskTalk(w.B, w.engine)
	quiet := time.Now()
	w.watch(talkQuiet, func(badgerstore.Disk) bool { return false })
	deleting := time.Now()
	w.expire()
	deleted := time.Now()
	full := w.disk("deleted")
	live := w.live()
	target := int64(diskFactor*float64(live)) + diskSlack
	most := *disks.most
	if !*disks.maintain {
		most = time.Minute
	}
	small := w.watch(most, func(d badgerstore.Disk) bool { return d.Bytes <= target && !w.busy(d) })
	took := time.Since(deleted)
	last := w.disk("small")
	talk.end()
	if !small && *disks.maintain {
		w.Errorf("after %v the directory takes %d bytes, want %d", took, last.Bytes, target)
	}
	w.report(talk, quiet, deleting, deleted)
	w.ReportMetric(took.Seconds(), "s-to-small")
	w.ReportMetric(mebibytes(filled.Bytes), "MiB-filled")
	w.ReportMetric(mebibytes(full.Bytes), "MiB-deleted")
	w.ReportMetric(mebibytes(last.Bytes), "MiB-small")
	w.ReportMetric(mebibytes(live), "MiB-live")
	w.ReportMetric(float64(last.Bytes)/float64(target), "of-target")
	w.ReportMetric(last.Maintenance.Worked.Seconds(), "s-worked")
	stopEngine(w.B, w.engine)
	if err := store.Close(); err != nil {
		w.Error(err)
	}
}

// busy reports whether maintenance is at work, or would be at its next look. (Without maintenance, nothing is.)
func (w *diskWatch) busy(d badgerstore.Disk) bool {
	waste := float64(d.Reclaimable + d.Buffered)
	return *disks.maintain && (d.Maintenance.Running || waste >= max(16<<20, 0.25*float64(d.Live)))
}

func (w *diskWatch) ran(run badgerstore.Run) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs = append(w.runs, run)
	if *disks.verbose {
		fmt.Printf("%7.1fs run: took %v, worked %v, %d steps, %.0f to %.0f MiB, %v\n", time.Since(w.began).Seconds(),
			run.Took.Round(time.Millisecond), run.Worked.Round(time.Millisecond), run.Steps, mebibytes(run.Before), mebibytes(run.After), run.Err)
	}
}

// fill begins the conversations.
func (w *diskWatch) fill() {
	var batch []*actors.Proposal
	for i := range *disks.conversations {
		sender, other := "user-"+strconv.Itoa(i%10_000), "user-"+strconv.Itoa(i/10_000)
		batch = append(batch, &actors.Proposal{
			Conversation: "doomed:" + strconv.Itoa(i),
			Change:       &conversation.Post{Seq: 1, Sender: sender, Members: []string{other}, Preview: []byte("see you there at eight")},
		})
		if len(batch) < diskBatch && i < *disks.conversations-1 {
			continue
		}
		replies, err := w.engine.ProposeBatch(w.Context(), batch)
		if err != nil {
			w.Fatal(err)
		}
		for _, reply := range replies {
			if reply.Err != nil {
				w.Fatal(reply.Err)
			}
		}
		batch = batch[:0:0]
	}
}

// expire lets everything expire, and then the tombstones and events. What tells devices of the removals is left, until the store is pruned of it.
func (w *diskWatch) expire() {
	for _, wait := range []time.Duration{time.Hour, 2 * diskKeep} {
		w.virtual.Advance(w.virtual.Now().Add(wait))
		if err := w.engine.Settle(w.Context()); err != nil {
			w.Fatal(err)
		}
		w.disk(fmt.Sprintf("%v later", wait))
	}
}

// live is the keys and values of all rows.
func (w *diskWatch) live() (bytes int64) {
	snapshot, err := w.store.Snapshot()
	if err != nil {
		w.Fatal(err)
	}
	defer snapshot.Close()
	for row, err := range snapshot.Scan(w.Context(), persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
		if err != nil {
			w.Fatal(err)
		}
		bytes += int64(len(row.Key) + len(row.Value))
	}
	return bytes
}

// watch looks at the directory until done says so; it reports false where that takes too long.
func (w *diskWatch) watch(most time.Duration, done func(badgerstore.Disk) bool) bool {
	ctx, cancel := context.WithTimeout(w.Context(), most)
	defer cancel()
	tick := time.NewTicker(diskPoll)
	defer tick.Stop()
	for n := 0; ; n++ {
		what := ""
		if n%20 == 0 {
			what = "watching"
		}
		if done(w.disk(what)) {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

func (w *diskWatch) disk(what string) badgerstore.Disk {
	d, err := w.store.Disk()
	if err != nil {
		w.Fatal(err)
	}
	if *disks.verbose && what != "" {
		fmt.Printf("%7.1fs %-12s %6.1f MiB (apparent %.0f): tables %.1f, logs %.1f; live %.1f, reclaimable %.1f, held %.1f, buffered %.1f; running %v\n",
			time.Since(w.began).Seconds(), what, mebibytes(d.Bytes), mebibytes(d.Apparent), mebibytes(d.Tables), mebibytes(d.Logs), mebibytes(d.Live),
			mebibytes(d.Reclaimable), mebibytes(d.Held), mebibytes(d.Buffered), d.Maintenance.Running)
	}
	return d
}

// report says how long posts took, in each part of the round. A post belongs to what happened when it was answered.
func (w *diskWatch) report(t *diskTalk, quiet, deleting, deleted time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	parts := map[string]*hdrhistogram.Histogram{}
	for _, post := range t.posts {
		part := "idle"
		switch {
		case post.at.Before(quiet):
			continue
		case w.during(post.at):
			part = "maintaining"
			if post.at.Before(deleted) {
				part = "both"
			}
		case post.at.Before(deleting) || post.at.After(deleted):
		default:
			part = "deleting"
		}
		if parts[part] == nil {
			parts[part] = hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
		}
		if err := parts[part].RecordValue(max(1, post.took.Microseconds())); err != nil {
			w.Error(err)
		}
	}
	for name, h := range parts {
		w.ReportMetric(float64(h.ValueAtQuantile(50))/1_000, "ms-p50-"+name)
		w.ReportMetric(float64(h.ValueAtQuantile(99))/1_000, "ms-p99-"+name)
	}
}

// during reports whether a run was under way.
func (w *diskWatch) during(at time.Time) bool {
	for _, run := range w.runs {
		if !at.Before(run.Began) && at.Before(run.Began.Add(run.Took)) {
			return true
		}
	}
	return false
}

// diskTalk posts, one post at a time, each answered once it is committed.
type diskTalk struct {
	stop  chan struct{}
	group sync.WaitGroup
	posts []diskPost
}

type diskPost struct {
	at   time.Time // when it was answered
	took time.Duration
}

func startDiskTalk(b *testing.B, engine *actors.Engine) *diskTalk {
	b.Helper()
	t := &diskTalk{stop: make(chan struct{})}
	t.group.Go(func() {
		tick := time.NewTicker(diskTalkEvery)
		defer tick.Stop()
		for seq := uint64(1); ; seq++ {
			select {
			case <-tick.C:
			case <-t.stop:
				return
			}
			began := time.Now()
			_, err := engine.Propose(b.Context(), &actors.Proposal{
				Conversation: "talk:" + strconv.FormatUint(seq%100, 10), Change: &conversation.Post{Seq: seq, Sender: "ann", Members: []string{"bob"}},
			})
			if err != nil {
				b.Errorf("a post: %v", err)
				return
			}
			t.posts = append(t.posts, diskPost{time.Now(), time.Since(began)})
		}
	})
	return t
}

func (t *diskTalk) end() {
	close(t.stop)
	t.group.Wait()
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
