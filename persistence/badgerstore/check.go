package badgerstore

import (
	"bytes"
	"fmt"

	"github.com/parley-im/parley/persistence"
)

// reserved is how the keys begin that Badger keeps for itself and refuses.
const reserved = "!badger!"

// check reports the first key that no row may have. Badger would refuse it too, but only half way through its group.
func check(batch persistence.Batch) error {
	for i := range batch.Groups {
		g := &batch.Groups[i]
		if g.Requires != nil && len(g.Requires) == 0 {
			return fmt.Errorf("group %d: %w: Requires is empty", i, persistence.ErrKey)
		}
		for j := range g.Puts {
			if err := checkKey(g.Puts[j].Key); err != nil {
				return fmt.Errorf("group %d: put %d: %w", i, j, err)
			}
		}
		for j := range g.Deletes {
			if err := checkKey(g.Deletes[j].Key); err != nil {
				return fmt.Errorf("group %d: delete %d: %w", i, j, err)
			}
		}
	}
	return nil
}

func checkKey(key []byte) error {
	if len(key) == 0 {
		return fmt.Errorf("%w: it is empty", persistence.ErrKey)
	}
	if bytes.HasPrefix(key, []byte(reserved)) {
		return fmt.Errorf("%w: %q is Badger's own", persistence.ErrKey, key)
	}
	switch persistence.KindOf(key) { //nolint:exhaustive // the others are the callers'
	case persistence.KindOwner, persistence.KindStore:
		return fmt.Errorf("%w: %q is the store's own", persistence.ErrKey, key)
	}
	return nil
}
