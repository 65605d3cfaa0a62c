package badgerstore

import (
	"fmt"

	"github.com/parley-im/parley/persistence"
)

// request is one call of Commit or Acquire, or of maintenance. Once the committer took it, it is answered: results or epochs, and err, are set before done is closed.
type request struct {
	batch     *persistence.Batch  // of a Commit
	foresight *foresight          // of a Commit; nil: none
	mark      *mark               // that a Commit sets; nil: none
	shards    []persistence.Shard // of an Acquire
	stir      *stirring           // of maintenance
	done      chan struct{}
	err       error
	results   []persistence.Result
	epochs    []persistence.Epoch

	parts    int  // how many transactions that have not ended have a part of it
	whole    bool // it has no more parts to come
	rebooked bool // it is to be carried out once more from its beginning
}

// begin begins to carry it out.
func (r *request) begin() { r.epochs, r.whole, r.rebooked = nil, false, false }

// goesOn reports whether there is any use in carrying it out further.
func (r *request) goesOn() bool { return r.err == nil && !r.rebooked }

// taken says that there are no more parts to come.
func (r *request) taken() {
	if !r.rebooked {
		r.whole = true
		r.answer()
	}
}

// answer answers it if there is nothing more to wait for.
func (r *request) answer() {
	if r.whole && r.parts == 0 {
		close(r.done)
	}
}

// board gives r a part in the transaction's fate.
func (t *transaction) board(r *request) {
	if n := len(t.riders); n == 0 || t.riders[n-1] != r {
		t.riders = append(t.riders, r)
		r.parts++
	}
}

// alight ends the transaction for all who have a part in it.
func (t *transaction) alight(err error) {
	for _, r := range t.riders {
		if err != nil {
			r.err = fmt.Errorf("badgerstore: %w", err)
		}
		r.parts--
		r.answer()
	}
	t.riders = nil
}

// rebook ends the transaction, which was not sent, and returns those who are to have a part in another one: who had none in a transaction that failed.
func (t *transaction) rebook() (again []*request) {
	for _, r := range t.riders {
		r.parts--
		if r.err != nil {
			r.answer()
			continue
		}
		r.rebooked = true
		again = append(again, r)
	}
	t.riders = nil
	return again
}
