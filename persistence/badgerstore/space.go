package badgerstore

import (
	"fmt"

	"github.com/parley-im/parley/persistence"
)

// space keeps the reserve. Badger writes into sparse memory maps: without a reserve, a full disk is a SIGBUS, which no Go program survives.
type space struct {
	dir     string
	reserve uint64
	ask     func(dir string) (uint64, error)

	asked   bool
	pledged uint64 // promised in earlier turns, and perhaps not taken yet
	free    uint64 // that no request has been promised
}

func newSpace(dir string, o Options) *space {
	return &space{dir: dir, reserve: uint64(max(o.ReserveBytes, 0)), ask: o.FreeSpace}
}

// turn forgets what was known of free space. Rows of so many bytes had room set aside and may not have taken it yet.
func (s *space) turn(pledged int64) { s.asked, s.pledged = false, twice(pledged) }

// twice: what is written is written twice, to Badger's log and, some time later, to a table.
func twice(bytes int64) uint64 { return 2 * uint64(bytes) }

// take sets room aside for a request whose rows take `bytes`, or returns ErrStoreFull.
func (s *space) take(bytes int64) error {
	if s.reserve == 0 {
		return nil
	}
	if !s.asked {
		free, err := s.ask(s.dir)
		if err != nil {
			return fmt.Errorf("badgerstore: free space of %s: %w", s.dir, err)
		}
		s.free, s.asked = free-min(free, s.pledged), true
	}
	need := twice(bytes)
	if s.free < s.reserve || s.free-s.reserve < need {
		return fmt.Errorf("%w: %s has %d bytes free, %d are wanted and %d kept", persistence.ErrStoreFull, s.dir, s.free, need, s.reserve)
	}
	s.free -= need
	return nil
}
