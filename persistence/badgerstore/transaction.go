package badgerstore

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// transaction fills one Badger transaction with groups. Owners and the clock are kept aside and written last, one row each; what a group's guards
// read includes everything that the transaction holds already.
type transaction struct {
	db       *badger.DB
	txn      *badger.Txn
	size     cost
	ledger   *ledger
	recent   *recent
	owners   map[persistence.Shard]persistence.Owner // changed by this transaction
	clock    persistence.Instant                     // zero: unchanged
	acquired []persistence.Shard                     // among owners: with a new epoch
	mark     *mark                                   // nil: unchanged

	number  uint64         // of the snapshot that will have it
	before  *transaction   // in flight when this one was opened, so that txn does not see it; nil: none was
	riders  []*request     // with a part in it
	written []row          // in order
	entries []badger.Entry // room for what txn is given
	index   map[string]int // the first indexed of written, by key, the last of each
	indexed int
	finds   int // that needed no index

	own ownRows // of the group that is being resolved: scratch
}

// ownRows is what a group writes: of each row the last. Most groups have so few that they are found sooner by looking than by hashing.
type ownRows struct {
	list    []row
	guarded bool           // it will be asked for some of them
	places  map[string]int // in list, by key; where there are many
}

// fewOwn is how many are looked through one by one.
const fewOwn = 24

func (o *ownRows) reset(guarded bool) {
	clear(o.list)
	o.list, o.guarded, o.places = o.list[:0], guarded, nil
}

func (o *ownRows) add(r row) {
	o.list = append(o.list, r)
	switch last := len(o.list) - 1; {
	case !o.guarded:
	case o.places != nil:
		o.places[string(r.key)] = last
	case last == fewOwn:
		o.places = make(map[string]int, 4*fewOwn)
		for i := range o.list {
			o.places[string(o.list[i].key)] = i
		}
	}
}

func (o *ownRows) find(key []byte) (r row, ok bool) {
	if o.places != nil {
		i, ok := o.places[string(key)]
		if ok {
			r = o.list[i]
		}
		return r, ok
	}
	for i := range slices.Backward(o.list) {
		if bytes.Equal(o.list[i].key, key) {
			return o.list[i], true
		}
	}
	return r, false
}

func newTransaction(db *badger.DB, l *ledger, r *recent, before *transaction, number uint64) *transaction {
	return &transaction{
		db: db, txn: db.NewTransaction(true), size: fixed, ledger: l, recent: r, before: before, number: number,
		owners: make(map[persistence.Shard]persistence.Owner),
	}
}

// holds reports whether a group of this cost can still be added.
func (t *transaction) holds(c cost) bool { return t.size.plus(c).fits(t.db) }

// add writes the group, or finds why it must not be written. An error is Badger's: the transaction is of no use any more.
func (t *transaction) add(g *persistence.Group, f *groupForesight) (persistence.Result, error) {
	owner, err := t.owner(g.Shard)
	if err != nil {
		return persistence.Result{}, err
	}
	if owner.Epoch == 0 || owner.Epoch != g.Epoch {
		return persistence.Result{Err: fmt.Errorf("%w: shard %d has epoch %d, the group %d", persistence.ErrFenced, g.Shard, owner.Epoch, g.Epoch)}, nil
	}
	if g.Requires != nil {
		there, _, err := t.stored(g.Requires, 0, f.ofRequires())
		if err != nil {
			return persistence.Result{}, err
		}
		if !there {
			return persistence.Result{Skipped: true}, nil
		}
	}
	result, err := t.resolve(g, f)
	if err != nil || result.Err != nil {
		return result, err
	}
	for _, row := range t.own.list {
		if err := t.write(row); err != nil {
			return result, err
		}
	}
	if len(g.Events) > 0 {
		result.FirstEvent = owner.NextEvent
		for _, event := range g.Events {
			if err := t.write(row{persistence.EventKey(g.Shard, owner.NextEvent), event, false}); err != nil {
				return result, err
			}
			owner.NextEvent++
		}
		t.setOwner(g.Shard, owner)
	}
	result.NextEvent = owner.NextEvent
	return result, nil
}

// row is a row to set, or to delete.
type row struct {
	key, value []byte
	remove     bool
}

// resolve evaluates the group's guards and finds what is to be written, in order: t.own. It writes nothing: a group whose guards cannot be
// evaluated must leave nothing.
func (t *transaction) resolve(g *persistence.Group, f *groupForesight) (persistence.Result, error) {
	var result persistence.Result
	guarded := slices.ContainsFunc(g.Puts, func(p persistence.Put) bool { return p.IfPresent }) ||
		slices.ContainsFunc(g.Deletes, func(d persistence.Delete) bool { return !d.IsBlind() })
	t.own.reset(guarded)
	for i := range g.Puts {
		put := &g.Puts[i]
		if put.IfPresent {
			present, _, err := t.look(put.Key, 0, view{})
			if err != nil {
				return result, err
			}
			if !present {
				continue
			}
		}
		t.own.add(row{put.Key, put.Value, false})
	}
	for i := range g.Deletes {
		del := &g.Deletes[i]
		if del.IsBlind() {
			t.own.add(row{del.Key, nil, true})
			continue
		}
		present, over, err := t.look(del.Key, del.UpTo, f.ofDelete(i))
		if errors.Is(err, persistence.ErrValue) || errors.Is(err, persistence.ErrNewerFormat) {
			return persistence.Result{Err: err}, nil
		}
		if err != nil {
			return result, err
		}
		if !present || !over {
			continue
		}
		result.Deleted++
		t.own.add(row{del.Key, del.Replace, del.Replace == nil})
	}
	return result, nil
}

// look reports whether a row is present, as the group that is being resolved sees it, and whether its generation is at most upTo; zero asks for none.
func (t *transaction) look(key []byte, upTo persistence.Generation, v view) (present, over bool, err error) {
	if own, ok := t.own.find(key); ok {
		if own.remove {
			return false, false, nil
		}
		over, err = isOver(key, own.value, upTo)
		return true, over, err
	}
	return t.stored(key, upTo, v)
}

// stored is look for what the groups before, and the transactions before, have left.
func (t *transaction) stored(key []byte, upTo persistence.Generation, v view) (there, over bool, err error) {
	if v.sight != unseen && t.recent.unchanged(key, v.snapshot) {
		return v.sight == present, v.sight == present && (upTo == 0 || v.generation <= upTo), nil
	}
	if w, ok := t.flying(key); ok {
		if w.remove {
			return false, false, nil
		}
		over, err = isOver(key, w.value, upTo)
		return true, over, err
	}
	item, err := t.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("get %q: %w", key, err)
	}
	if upTo == 0 {
		return true, true, nil
	}
	err = item.Value(func(value []byte) error {
		over, err = isOver(key, value, upTo)
		return err
	})
	return true, over, err
}

// flying returns what the transaction before, which may be on its way, leaves under a key that this one has not written.
func (t *transaction) flying(key []byte) (w row, ok bool) {
	if t.before == nil || t.recent.unchanged(key, t.before.number-1) {
		return w, false
	}
	if _, own := t.find(key); own {
		return w, false // txn knows
	}
	return t.before.find(key)
}

// findsByLooking is how often a row of a transaction is looked for one by one: an index of all costs as much as many times that.
const findsByLooking = 32

// find returns what the transaction writes under a key.
func (t *transaction) find(key []byte) (w row, ok bool) {
	if t.finds < findsByLooking {
		t.finds++
		for i := range slices.Backward(t.written) {
			if bytes.Equal(t.written[i].key, key) {
				return t.written[i], true
			}
		}
		return w, false
	}
	if t.index == nil {
		t.index = make(map[string]int, len(t.written))
	}
	for ; t.indexed < len(t.written); t.indexed++ {
		t.index[string(t.written[t.indexed].key)] = t.indexed
	}
	i, ok := t.index[string(key)]
	if ok {
		w = t.written[i]
	}
	return w, ok
}

func isOver(key, value []byte, upTo persistence.Generation) (bool, error) {
	if upTo == 0 {
		return true, nil
	}
	generation, err := persistence.GenerationOf(value)
	if err != nil {
		return false, fmt.Errorf("guarded delete of %q: %w", key, err)
	}
	return generation <= upTo, nil
}

func (t *transaction) write(r row) error {
	var err error
	t.recent.note(r.key, t.number)
	if r.remove {
		err = t.txn.Delete(r.key)
	} else {
		err = t.txn.SetEntry(t.entry(r))
	}
	if err != nil {
		return fmt.Errorf("write %q: %w", r.key, err)
	}
	if len(t.written) == cap(t.written) { // it becomes long: append would grow it by little at a time
		t.written = append(make([]row, 0, max(leastWritten, 2*cap(t.written))), t.written...)
	}
	t.written = append(t.written, r)
	t.size = t.size.plus(entry(len(r.key), len(r.value)))
	return nil
}

// leastWritten is for how many rows room is made at first.
const leastWritten = 64

// manyEntries is for how many entries room is made at once.
const manyEntries = 256

func (t *transaction) entry(r row) *badger.Entry {
	if len(t.entries) == 0 {
		t.entries = make([]badger.Entry, min(manyEntries, 8+len(t.written)))
	}
	e := &t.entries[0]
	t.entries = t.entries[1:]
	e.Key, e.Value = r.key, r.value
	return e
}

func (t *transaction) owner(shard persistence.Shard) (persistence.Owner, error) {
	if owner, ok := t.owners[shard]; ok {
		return owner, nil
	}
	return t.ledger.owner(t.txn, shard)
}

func (t *transaction) setOwner(shard persistence.Shard, owner persistence.Owner) {
	if _, ok := t.owners[shard]; !ok {
		t.size = t.size.plus(owned)
	}
	t.owners[shard] = owner
}

// raise makes the clock be written where it is higher than the highest known.
func (t *transaction) raise(clock persistence.Instant) error {
	highest, err := t.ledger.highest(t.txn)
	if err != nil {
		return err
	}
	if clock > max(highest, t.clock) {
		t.clock = clock
	}
	return nil
}

// cover moves the mark of the redo log.
func (t *transaction) cover(m *mark) {
	if m != nil && (t.mark == nil || m.position >= t.mark.position) {
		t.mark = m
	}
}

// seal writes what was kept aside: nothing is added from then on.
func (t *transaction) seal() error {
	t.before = nil
	for shard, owner := range t.owners {
		key := persistence.OwnerKey(shard)
		t.recent.note(key, t.number)
		if err := t.txn.Set(key, owner.Encode()); err != nil {
			return fmt.Errorf("write the owner of shard %d: %w", shard, err)
		}
	}
	if t.clock != 0 {
		if err := t.txn.Set(persistence.StoreKey(rowClock), encodeNumber(uint64(t.clock))); err != nil {
			return fmt.Errorf("write the clock: %w", err)
		}
	}
	if t.mark != nil {
		if err := t.txn.Set(persistence.StoreKey(rowRedo), t.mark.encode()); err != nil {
			return fmt.Errorf("write the mark of the redo log: %w", err)
		}
	}
	return nil
}

// commit has Badger write it. After an error, what became of it is unknown.
func (t *transaction) commit(write func(*badger.Txn) error) error {
	defer t.txn.Discard()
	if err := write(t.txn); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
