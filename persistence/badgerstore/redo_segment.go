package badgerstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/dgraph-io/ristretto/v2/z"

	"github.com/parley-im/parley/persistence"
)

const (
	redoFormat    = 1
	segmentMagic  = "PYREDO"
	segmentHeader = 32
	// segmentBytes is how much a file of the redo log takes, but where a single record is larger.
	segmentBytes = 16 << 20
	// zeroedBytes is how much of a file is written ahead, so that a sync has nothing to do for the file system but for once in so many bytes. A file that is used again has that behind it.
	zeroedBytes = 1 << 20
	// segmentExt ends the name of a file of the redo log.
	segmentExt = ".redo"
)

// segment is a file of the redo log: a header, and then records.
type segment struct {
	file   *os.File
	before persistence.Position // the last record before its first
	last   persistence.Position // its last; before: it has none
	end    int64                // where the next record goes
	size   int64                // of the file
	lax    bool                 // it was written without syncs
}

// createSegment makes a file that has no header yet.
func createSegment(dir string, number int) (*segment, error) {
	f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%06d%s", number, segmentExt)), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // a name of ours
	if err != nil {
		return nil, err
	}
	return &segment{file: f}, nil
}

// begin gives the segment a header, and with that forgets what was in it. It is durable with the first record.
func (s *segment) begin(of salt, before persistence.Position, lax bool) error {
	var h [segmentHeader]byte
	copy(h[:], segmentMagic)
	h[6] = redoFormat
	if lax {
		h[7] = 1
	}
	copy(h[8:], of[:])
	binary.LittleEndian.PutUint64(h[16:], uint64(before))
	binary.LittleEndian.PutUint32(h[24:], crc32.Checksum(h[:24], castagnoli))
	if err := s.room(segmentHeader); err != nil {
		return err
	}
	if _, err := s.file.WriteAt(h[:], 0); err != nil {
		return err
	}
	s.before, s.last, s.end, s.lax = before, before, segmentHeader, lax
	return nil
}

// readHeader reads what begin wrote. It reports false where that is not, or not wholly, there, or of another log.
func (s *segment) readHeader(of salt) (ok bool, err error) {
	var h [segmentHeader]byte
	if _, err := s.file.ReadAt(h[:], 0); err == io.EOF {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if string(h[:6]) != segmentMagic || crc32.Checksum(h[:24], castagnoli) != binary.LittleEndian.Uint32(h[24:]) || !bytes.Equal(h[8:16], of[:]) {
		return false, nil
	}
	if h[6] > redoFormat {
		return false, fmt.Errorf("%w: the redo log has format %d, this program reads %d", persistence.ErrNewerFormat, h[6], redoFormat)
	}
	s.before, s.lax = persistence.Position(binary.LittleEndian.Uint64(h[16:])), h[7] != 0
	return true, nil
}

// holds reports whether the segment takes a record of that length. An empty one takes any.
func (s *segment) holds(length int) bool {
	return s.end == segmentHeader || s.end+int64(length) <= segmentBytes
}

// growth is by how much the file is to become larger, and how much is to be written for that, for it to reach an end.
func (s *segment) growth(end int64) int64 {
	if end <= s.size {
		return 0
	}
	return (end+zeroedBytes-1)/zeroedBytes*zeroedBytes - s.size
}

// room sees to it that the file reaches as far as end.
func (s *segment) room(end int64) error {
	for grow := s.growth(end); grow > 0; grow -= zeroedBytes {
		if _, err := s.file.WriteAt(zeroes, s.size); err != nil {
			return err
		}
		s.size += zeroedBytes
	}
	return nil
}

var zeroes = make([]byte, zeroedBytes) //nolint:gochecknoglobals // a constant

// write puts a record behind the others. It is one of them once keep was called.
func (s *segment) write(b []byte) error {
	if err := s.room(s.end + int64(len(b))); err != nil {
		return err
	}
	_, err := s.file.WriteAt(b, s.end)
	return err
}

func (s *segment) keep(length int, position persistence.Position) {
	s.end += int64(length)
	s.last = position
}

// read returns a copy of all bytes of the file, which stays as it is when the file is used again.
func (s *segment) read() ([]byte, error) {
	info, err := s.file.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, info.Size())
	if _, err := s.file.ReadAt(b, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}

// mapped is the bytes of a file, which are read as they are looked at and take no heap. Nobody writes to the file meanwhile.
type mapped []byte

// mapFile maps a file as it is. It may be closed then.
func mapFile(f *os.File) (mapped, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return nil, err
	}
	return z.Mmap(f, false, info.Size())
}

// release gives them back.
func (m mapped) release() {
	if len(m) > 0 {
		_ = z.Munmap(m) // it was mapped, and only read
	}
}

// drop closes the file and removes it.
func (s *segment) drop() error {
	name := s.file.Name()
	_ = s.file.Close()     // nothing of it is wanted any more
	return os.Remove(name) //nolint:gosec // a name of ours
}
