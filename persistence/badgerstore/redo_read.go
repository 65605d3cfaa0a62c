package badgerstore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// ErrLogDamaged says that a part of the redo log is missing or cannot be read, though later parts can. What was acknowledged from there on is not known.
var ErrLogDamaged = errors.New("the redo log is damaged: put the directory back as it was, or restore a backup; to go on without what stands in the log from the damage on, " +
	"and lose what was acknowledged last, open the store once with Options.AbandonLog")

// records returns the records of a file up to a position, in order.
func (s *segment) records(of salt, upTo persistence.Position) ([]record, error) {
	b, err := s.read()
	if err != nil {
		return nil, err
	}
	found, _ := recordsIn(b, of, s.before, upTo)
	return found, nil
}

// recordsIn returns the records that stand one behind the other in the bytes of a file, and where they end.
func recordsIn(b []byte, of salt, before, upTo persistence.Position) (found []record, end int) {
	for end = segmentHeader; end < len(b); {
		r, length, ok := readRecord(b[end:], of)
		if !ok || r.before != before || r.position <= before || r.position > upTo {
			break
		}
		found = append(found, r)
		before, end = r.position, end+length
	}
	return found, end
}

// leftover is what is found of a log.
type leftover struct {
	salt    salt
	records []record             // in order, behind the mark
	last    persistence.Position // the highest position that was found
	damage  error                // nil; or why there may be more than the records
	files   []mapped             // where the records' bytes are
}

// release gives the records' bytes back.
func (l *leftover) release() {
	for _, m := range l.files {
		m.release()
	}
}

// readRedo reads the log in a store's directory, of which everything up to marked was committed. What it returns is to be released.
func readRedo(dir string, of salt, marked persistence.Position) (*leftover, error) {
	files, contents, err := openRedo(filepath.Join(dir, redoDir), of)
	if err != nil {
		return nil, err
	}
	left := &leftover{salt: of, last: marked, files: contents}
	lax := false
	for i, s := range files {
		lax = lax || s.lax
		upTo := persistence.Position(1<<64 - 1)
		if i+1 < len(files) {
			upTo = files[i+1].before // what stands behind that was never told to be there
		}
		if s.before > left.last {
			left.damage = fmt.Errorf("%w: what is behind position %d is missing", ErrLogDamaged, left.last)
			break
		}
		found, _ := recordsIn(contents[i], of, s.before, upTo)
		for _, r := range found {
			if r.position > marked {
				left.records = append(left.records, r)
			}
			left.last = max(left.last, r.position)
		}
	}
	switch {
	case len(files) == 0:
		left.damage = fmt.Errorf("%w: there are no files of it in %s", ErrLogDamaged, filepath.Join(dir, redoDir))
	case left.damage == nil:
		for i := range files {
			if at, ok := laterRecord(contents[i], of, left.last); ok {
				left.damage = fmt.Errorf("%w: what is behind position %d is unreadable, but there is position %d", ErrLogDamaged, left.last, at)
			}
		}
	}
	if lax { // the machine may have ended with some of the log on disk, and nothing was promised
		left.damage = nil
	}
	return left, nil
}

// openRedo returns the files of a log, oldest first, and their bytes. They are closed.
func openRedo(dir string, of salt) (files []*segment, contents []mapped, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*"+segmentExt))
	if err != nil {
		return nil, nil, err
	}
	type content struct {
		*segment

		bytes mapped
	}
	var all []content
	defer func() {
		if err != nil {
			for _, c := range all {
				c.bytes.release()
			}
		}
	}()
	for _, name := range names {
		f, err := os.Open(name) //nolint:gosec // a name of ours
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		s := &segment{file: f}
		b, ok, err := s.load(of)
		_ = f.Close() // it was only read
		if err != nil {
			return nil, nil, err
		}
		if ok {
			all = append(all, content{s, b})
		}
	}
	slices.SortFunc(all, func(a, b content) int {
		switch {
		case a.before < b.before:
			return -1
		case a.before > b.before:
			return 1
		}
		return 0
	})
	for _, c := range all {
		files, contents = append(files, c.segment), append(contents, c.bytes)
	}
	return files, contents, nil
}

// load maps a file, unless it is of another log. One whose header is damaged counts as one without records.
func (s *segment) load(of salt) (b mapped, ok bool, err error) {
	known, err := s.readHeader(of)
	if err != nil {
		return nil, false, err
	}
	if b, err = mapFile(s.file); err != nil {
		return nil, false, err
	}
	if !known {
		s.before = 0
		if !bytes.Contains(b, of[:]) {
			b.release()
			return nil, false, nil
		}
	}
	return b, true, nil
}

// laterRecord looks for a record, at any place, with a higher position.
func laterRecord(b []byte, of salt, last persistence.Position) (at persistence.Position, ok bool) {
	for {
		i := bytes.Index(b, of[:])
		if i < 0 {
			return 0, false
		}
		b = b[i:]
		if r, _, ok := readRecord(b, of); ok && r.position > last {
			return r.position, true
		}
		b = b[1:]
	}
}
