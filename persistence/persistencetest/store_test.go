package persistencetest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStoreKeepsTheContract(t *testing.T) {
	persistencetest.Run(t, func(*testing.T) persistencetest.Storage {
		var store *persistencetest.Store
		return func() (persistencetest.Opened, error) {
			if store == nil {
				store = persistencetest.NewStore()
			} else {
				store = store.Crash()
			}
			return store, nil
		}
	})
}
