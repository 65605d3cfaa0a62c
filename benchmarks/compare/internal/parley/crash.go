package parley

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// diary is the file in a side's directory that says what was answered. It is the operating system's once it is written, and survives a kill.
const diary = "answered"

// doomed is an engine that will be killed.
type doomed struct {
	*posts

	diary    *os.File
	talking  chan struct{} // closed when the load that goes on has ended
	stop     chan struct{}
	measured bool
	err      error // of the load that goes on
}

// unboundedRows is as many as no batch of these measurements has.
const unboundedRows = 1 << 20

// OpenDoomed opens an engine with Known conversations, Hot of which are spoken in, whose journal is flushed every Interval and for no other reason. The
// first round proposes batches of Batch, applied, as fast as they are answered. Figures: rate, the posts a second; rows, those written to the store for
// each. The second begins a load of Rate posts a second, and ends a Window after the journal has rested from the first; the load goes on until the side is closed or, as is meant, killed: then
// [TakenBack] says what that took back.
func OpenDoomed(ctx context.Context, p side.Params) (side.Side, error) {
	config := configFor(p)
	config.FlushInterval, config.FlushRows = p.Interval, unboundedRows
	r, err := start(ctx, p, badgerstore.Options{}, config, nil)
	if err != nil {
		return nil, err
	}
	s := &doomed{posts: newPosts(r, p), talking: make(chan struct{}), stop: make(chan struct{})}
	if s.diary, err = os.Create(filepath.Join(p.Dir, diary)); err == nil {
		err = r.fill(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close()) //nolint:contextcheck // it ends whatever became of ctx
	}
	return s, nil
}

// Round implements [side.Side].
func (s *doomed) Round(ctx context.Context) (side.Figures, error) {
	if s.measured {
		flushes := s.engine.Stats().Journal.Flushes
		go s.talk(context.WithoutCancel(ctx))
		for s.engine.Stats().Journal.Flushes == flushes { // the journal rests from the load before
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(talkEvery):
			}
		}
		time.Sleep(s.p.Window)
		return side.Figures{}, nil
	}
	s.measured = true
	before := s.engine.Stats()
	rate, err := s.speak(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	after := s.engine.Stats()
	return side.Figures{
		"rate": rate,
		"rows": float64(after.Journal.Flushed-before.Journal.Flushed) / float64(max(1, after.Proposals.Applied-before.Proposals.Applied)),
	}, nil
}

// talkEvery is the step of the load that goes on.
const talkEvery = 2 * time.Millisecond

// talk proposes at a rate, a batch at each step, and notes what was answered.
func (s *doomed) talk(ctx context.Context) {
	defer close(s.talking)
	each := max(1, int(float64(s.p.Rate)*talkEvery.Seconds()))
	tick := time.NewTicker(talkEvery)
	defer tick.Stop()
	for s.err == nil {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		batch := make([]*actors.Proposal, each)
		places := make([]int, each)
		for i := range batch {
			batch[i], places[i] = s.speakers[0].Next(actors.AckApplied)
		}
		replies, err := s.engine.ProposeBatch(ctx, batch)
		s.err = err
		var page []byte
		for i := range replies {
			if replies[i].Err == nil {
				page = binary.LittleEndian.AppendUint64(page, uint64(places[i]))
				page = binary.LittleEndian.AppendUint64(page, replies[i].LastSeq)
			}
		}
		if _, err := s.diary.Write(page); err != nil {
			s.err = err
		}
	}
}

// Close implements [side.Side], for one that was spared.
func (s *doomed) Close() error {
	close(s.stop)
	if s.measured {
		select {
		case <-s.talking:
		case <-time.After(time.Second): // it was never begun
		}
	}
	return errors.Join(s.err, s.running.Close(), s.diary.Close())
}

// TakenBack opens the store of a side that was killed, and returns how many posts that were answered as applied are not in it.
func TakenBack(ctx context.Context, p side.Params) (posts int, err error) {
	answered, err := readDiary(filepath.Join(p.Dir, diary))
	if err != nil {
		return 0, err
	}
	store, err := badgerstore.Open(filepath.Join(p.Dir, "store"), badgerstore.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	snapshot, err := store.Snapshot()
	if err != nil {
		return 0, err
	}
	defer snapshot.Close()
	people := chat.NewPopulation(p.Known, max(1, p.Members))
	for i, seq := range answered {
		value, err := snapshot.Get(ctx, persistence.HeadKey(people.Name(int(i))))
		if err != nil {
			return 0, fmt.Errorf("the head of %s: %w", people.Name(int(i)), err)
		}
		rows, ok, err := conversation.Decode(value, nil, nil, 0)
		if err != nil || !ok {
			return 0, fmt.Errorf("the head of %s is there: %v, %w", people.Name(int(i)), ok, err)
		}
		posts += int(seq - min(seq, rows.Head.LastSeq))
	}
	return posts, nil
}

// readDiary returns the last number that was answered of each conversation.
func readDiary(path string) (map[uint64]uint64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("what was answered: %w", err)
	}
	defer file.Close()
	answered := map[uint64]uint64{}
	for in := bufio.NewReader(file); ; {
		var line [2]uint64
		switch err := binary.Read(in, binary.LittleEndian, &line); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // the kill may have cut the last line
			return answered, nil
		case err != nil:
			return nil, fmt.Errorf("what was answered: %w", err)
		}
		answered[line[0]] = max(answered[line[0]], line[1])
	}
}
