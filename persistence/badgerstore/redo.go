package badgerstore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/parley-im/parley/persistence"
)

const (
	// redoDir is where the redo log is, within the store's directory.
	redoDir = "redo"
	// spareSegments is how many files that are not needed any more are kept, to be used again, where the disk is not full: as many as a log has that is long. Each that is removed, and made again, holds up who logs.
	spareSegments = 32
	// spareRecord is how large the room for a record may be that is kept for the next.
	spareRecord = 1 << 20
)

// redo is the redo log: what was logged and is not covered by a commit stands in its files, which are carried out when the store is opened again. It is begun by the first Log, and removed by
// Close where nothing in it is needed any more.
//
// The committer may lock it, which takes as long as a write of a record, and so whoever has it locked waits for nothing that the committer does.
type redo struct {
	dir    string
	noSync bool
	sync   func(*os.File) error // tests make it fail
	marked atomic.Uint64        // the position up to which everything was committed
	counts redoCounts

	starting sync.Mutex // held while the log is begun

	mu      sync.Mutex
	space   *space
	salt    salt // zero: it was not begun
	next    persistence.Position
	files   []*segment // with a header, oldest first; the last is written to
	spare   []*segment
	numbers int // of the files that were made
	epochs  map[persistence.Shard]persistence.Epoch
	fences  uint64 // how often fence was called
	buffer  []byte
	closed  bool
}

type redoCounts struct{ records, bytes, syncs atomic.Uint64 }

func newRedo(dir string, o Options) *redo {
	return &redo{
		dir: filepath.Join(dir, redoDir), noSync: o.NoSync, sync: syncData, space: newSpace(dir, o),
		epochs: map[persistence.Shard]persistence.Epoch{},
	}
}

// begin makes the log, behind a position, unless it was made. commit writes down in the store that it is there.
func (r *redo) begin(commit func(salt, persistence.Position) error) error {
	r.starting.Lock()
	defer r.starting.Unlock()
	r.mu.Lock()
	begun, closed, last := r.salt != salt{}, r.closed, persistence.Position(r.marked.Load())
	r.mu.Unlock()
	switch {
	case closed:
		return persistence.ErrClosed
	case begun:
		return nil
	}
	var drawn salt
	if _, err := rand.Read(drawn[:]); err != nil {
		return err
	}
	first, err := r.make(drawn, last)
	if err != nil {
		return err
	}
	if err := commit(drawn, last); err != nil {
		return errors.Join(err, first.drop())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.salt, r.next, r.files = drawn, last+1, []*segment{first}
	return nil
}

// make makes the directory and a first file in it. Both are durable when it returns.
func (r *redo) make(of salt, last persistence.Position) (first *segment, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.space.turn(0)
	if err := r.space.take(zeroedBytes); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil { //nolint:gosec // the host names the directory
		return nil, full(err)
	}
	if first, err = r.create(); err != nil {
		return nil, full(err)
	}
	if err := first.begin(of, last, r.noSync); err != nil {
		return nil, full(errors.Join(err, first.drop()))
	}
	if !r.noSync {
		if err := errors.Join(first.file.Sync(), syncDir(r.dir), syncDir(filepath.Dir(r.dir))); err != nil {
			return nil, full(errors.Join(err, first.drop()))
		}
	}
	return first, nil
}

// create makes a file. r.mu is held.
func (r *redo) create() (*segment, error) {
	for {
		r.numbers++
		s, err := createSegment(r.dir, r.numbers)
		if !errors.Is(err, os.ErrExist) { // of a log that was not carried out, or not removed
			return s, err
		}
	}
}

// full makes an error that says that the disk is full one that callers know.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", persistence.ErrStoreFull, err)
	}
	return err
}

// unknown are the shards of a batch of which the log does not know the epochs, and the number of fences up to now. A group of another epoch than the log's is an error.
func (r *redo) unknown(batch *persistence.Batch) (shards []*persistence.Group, fences uint64, err error) {
	for i := range batch.Groups {
		g := &batch.Groups[i]
		switch epoch, ok := r.epochs[g.Shard]; {
		case !ok:
			shards = append(shards, g)
		case epoch != g.Epoch:
			return nil, 0, fmt.Errorf("%w: shard %d has epoch %d, the group %d", persistence.ErrFenced, g.Shard, epoch, g.Epoch)
		}
	}
	return shards, r.fences, nil
}

// append writes a batch down. Where it returns groups, it did not: whether theirs are the epochs of their shards is to be found out first, and learned.
func (r *redo) append(batch *persistence.Batch, bytes int64) (position persistence.Position, ask []*persistence.Group, fences uint64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, nil, 0, persistence.ErrClosed
	}
	if ask, fences, err = r.unknown(batch); err != nil || len(ask) > 0 {
		return 0, ask, fences, err
	}
	r.buffer = appendRecord(r.buffer[:0], batch)
	defer func() {
		if cap(r.buffer) > spareRecord {
			r.buffer = nil
		}
	}()
	r.reuse()
	if err := r.reserve(bytes); err != nil {
		return 0, nil, 0, err
	}
	before := r.files[len(r.files)-1].last
	// A record that could not be written may be there all the same. The next one takes its place and another position, and a commit can cover this one.
	position = r.next
	r.next++
	seal(r.buffer, r.salt, position, before)
	file, err := r.writable(len(r.buffer), before)
	if err != nil {
		return position, nil, 0, full(err)
	}
	if err := file.write(r.buffer); err != nil {
		return position, nil, 0, full(err)
	}
	if !r.noSync {
		r.counts.syncs.Add(1)
		if err := r.sync(file.file); err != nil {
			return position, nil, 0, full(err)
		}
	}
	file.keep(len(r.buffer), position)
	r.counts.records.Add(1)
	r.counts.bytes.Add(uint64(len(r.buffer)))
	return position, nil, 0, nil
}

// reserve sets room aside for the record, and for the rows, which are to be committed later. r.mu is held.
func (r *redo) reserve(bytes int64) error {
	var uncovered int64
	for _, s := range r.files {
		if uint64(s.last) > r.marked.Load() {
			uncovered += s.end
		}
	}
	r.space.turn(uncovered)
	last := r.files[len(r.files)-1]
	grow := last.growth(last.end + int64(len(r.buffer)))
	err := r.space.take(bytes + grow)
	if err != nil {
		r.dropSpare()
	}
	return err
}

// giveBack has the disk have what is kept to be used again.
func (r *redo) giveBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropSpare()
}

// dropSpare removes the files that are not needed. r.mu is held.
func (r *redo) dropSpare() {
	for _, s := range r.spare {
		_ = s.drop() // as in reuse
	}
	r.spare = nil
}

// writable returns the file that takes a record of that length. r.mu is held.
func (r *redo) writable(length int, before persistence.Position) (*segment, error) {
	last := r.files[len(r.files)-1]
	if last.holds(length) {
		return last, nil
	}
	var s *segment
	if n := len(r.spare); n > 0 {
		s, r.spare = r.spare[n-1], r.spare[:n-1]
	} else {
		var err error
		if s, err = r.create(); err != nil {
			return nil, err
		}
		if !r.noSync {
			if err := syncDir(r.dir); err != nil {
				return nil, errors.Join(err, s.drop())
			}
		}
	}
	if err := s.begin(r.salt, before, r.noSync); err != nil {
		return nil, errors.Join(err, s.drop())
	}
	r.files = append(r.files, s)
	return s, nil
}

// reuse takes back the files of which everything was committed. r.mu is held.
func (r *redo) reuse() {
	marked := persistence.Position(r.marked.Load())
	for len(r.files) > 1 && r.files[0].last <= marked {
		s := r.files[0]
		r.files = slices.Delete(r.files, 0, 1)
		if len(r.spare) < spareSegments && s.size <= segmentBytes {
			r.spare = append(r.spare, s)
		} else {
			_ = s.drop() // it stays, and is removed when the store is closed or opened
		}
	}
}

// mark says that everything up to a position was committed.
func (r *redo) mark(position persistence.Position) {
	if uint64(position) > r.marked.Load() {
		r.marked.Store(uint64(position))
	}
}

// fence keeps everybody from logging for the shards until their epochs are learned, and returns what was logged behind a position.
func (r *redo) fence(shards []persistence.Shard, behind persistence.Position) ([]record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fences++
	for _, shard := range shards {
		delete(r.epochs, shard)
	}
	var records []record
	for _, s := range r.files {
		if s.last <= behind {
			continue
		}
		found, err := s.records(r.salt, s.last)
		if err != nil {
			return nil, err
		}
		for i := range found {
			if found[i].position > behind {
				records = append(records, found[i])
			}
		}
	}
	return records, nil
}

// learn takes in the epochs of shards that were found out while so many fences had been set.
func (r *redo) learn(epochs map[persistence.Shard]persistence.Epoch, fences uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fences == fences {
		maps.Copy(r.epochs, epochs)
	}
}

// owned takes in the epoch that a shard has from now on.
func (r *redo) owned(shard persistence.Shard, epoch persistence.Epoch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epochs[shard] = epoch
}

// shut refuses everything from now on.
func (r *redo) shut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// end closes the files, and removes them where that is all that they are needed for: everything was committed, and commit has written down in the store that there is no log any more.
func (r *redo) end(commit func(salt, persistence.Position) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.salt == (salt{}) {
		return nil
	}
	files := slices.Concat(r.files, r.spare)
	last := r.files[len(r.files)-1].last
	r.files, r.spare = nil, nil
	if uint64(last) > r.marked.Load() {
		return closeAll(files)
	}
	if err := commit(salt{}, r.next-1); err != nil {
		return errors.Join(err, closeAll(files))
	}
	if err := closeAll(files); err != nil {
		return err
	}
	return removeRedo(filepath.Dir(r.dir))
}

func closeAll(files []*segment) error {
	errs := make([]error, 0, len(files))
	for _, s := range files {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}

// removeRedo removes the directory of a redo log that is not needed any more.
func removeRedo(dir string) error { return os.RemoveAll(filepath.Join(dir, redoDir)) }
