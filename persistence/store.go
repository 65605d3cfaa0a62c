package persistence

import (
	"context"
	"errors"
	"iter"
)

// Errors that callers branch on.
var (
	// ErrFenced says that a commit carried an epoch older than its shard's: somebody else owns the shard now. Nothing of the group was written.
	ErrFenced = errors.New("persistence: fenced: the shard has a newer owner")
	// ErrNotFound says that there is no row under the key.
	ErrNotFound = errors.New("persistence: not found")
	// ErrStoreFull says that free space is below the store's reserve. Nothing was written; the same commit may be tried again once space was made.
	ErrStoreFull = errors.New("persistence: store full: free disk space is below the reserve")
	// ErrGroupTooLarge says that a group does not fit one transaction of the store. Nothing of it was written and repeating it is of no use.
	ErrGroupTooLarge = errors.New("persistence: group too large for one transaction")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("persistence: store closed")
)

// Generation is one life of a conversation. Generations of a conversation grow and are never used twice.
type Generation uint64

// Epoch numbers the owners of a shard. Each [Store.Acquire] draws a higher one.
type Epoch uint64

// Position is a place in a store's log. The first is 1.
type Position uint64

// Store keeps rows. All methods may be called from any goroutine; all write methods but Log are carried out one after the other, in some order, so
// that what a group's guards read cannot change before the group is written. Whoever opens a store closes it, after its last user stopped.
type Store interface {
	// Meta returns what the store says of itself. It is fixed at open, but for Clock.
	Meta() Meta

	// Acquire makes the caller the owner of the shards and returns the new epoch of each, in their order. From its return on, every commit and every Log under
	// an earlier epoch of those shards fails with [ErrFenced], and all that was logged before is in the snapshots taken later. It blocks for one durable write; on an error no epoch was handed out,
	// though some may have been used up.
	Acquire(ctx context.Context, shards ...Shard) ([]Epoch, error)

	// Commit writes the batch's groups, in their order. Each group is written whole or not at all and has its own Result, at its own index.
	// When Commit returns, what it wrote is as durable as the store makes anything, and every snapshot taken later contains it.
	//
	// With a non-nil error the outcome of each group is unknown: any of them may have been written. Repeating the same batch is then safe, and
	// is how to find out: values are absolute and guards are checked again. With [ErrStoreFull] nothing was written.
	//
	// The batch must not be changed until Commit returned. A cancelled context stops waiting for a turn, not a write under way.
	Commit(ctx context.Context, batch Batch) ([]Result, error)

	// Log makes a batch durable ahead of the Commit that brings it into snapshots, in less time than that takes, and does not wait for commits under way. When the store is opened again, or
	// shards are acquired, what was logged is carried out first, in its order, but for what a Commit has covered: see [Batch].Logged. Carrying it out more than once does no harm, also where a part of it
	// had been committed; but nobody else may remove a row that was logged, and not covered, as it would come back.
	//
	// It is all or nothing: with [ErrFenced], [ErrGroupTooLarge] or [ErrStoreFull] nothing was logged. With any other error the outcome is unknown: the batch may be carried out or not, until
	// a Commit covers the position, which is returned with an error, too; zero: there is nothing to be covered. What was logged can be committed later. Groups that are logged have no Requires, Events,
	// UpTo or Replace.
	//
	// Positions grow. Only one logs at a time: whoever acquired the shards last, and commits what it logged, in that order, and covers it. The batch must not be changed until Log returned. A cancelled
	// context stops waiting for a turn, not a write under way.
	Log(ctx context.Context, batch Batch) (Position, error)

	// Snapshot returns the latest published snapshot: all that was committed at some moment not before the last Commit's return. It does
	// not block. The caller must close it, and soon: a snapshot held open holds disk space.
	Snapshot() (Snapshot, error)
}

// Meta describes a store.
type Meta struct {
	Incarnation string  // drawn when the store was created; a copy restored from a backup is told apart by it once `engine restore` has drawn anew
	Shards      int     // how many slices its conversations are divided into
	Clock       Instant // the highest Batch.Clock ever committed or logged
}

// Batch is what one Commit writes, or one Log.
type Batch struct {
	Clock  Instant // the engine's clock; the store keeps the highest. Zero: none.
	Groups []Group
	// Logged says, to Commit, that what was logged up to this position is covered: it stands in this batch, or in those before it, as it is or overwritten since. That takes effect with the last
	// of the groups, and as durably. Zero: nothing is.
	Logged Position
}

// Group is what is written together or not at all, under one shard's epoch: all rows of one change, or one part of a deletion.
type Group struct {
	Shard    Shard
	Epoch    Epoch
	Requires []byte   // where set: unless a row with this key exists, the group does nothing and its Result is Skipped
	Seen     Sight    // of the row in Requires
	Puts     []Put    // carried out first
	Deletes  []Delete // carried out after the puts
	Events   [][]byte // encoded events; each gets the next number of the shard, in commit order
}

// Put sets a row to an absolute value.
type Put struct {
	Key, Value []byte
	IfPresent  bool // only where the row exists
}

// Delete removes a row.
type Delete struct {
	Key []byte
	// UpTo guards the delete where it is not zero: only a row whose value carries a generation ≤ UpTo is removed (see [GenerationOf]).
	UpTo Generation
	Seen Sight
	// Replace, where set, is written in place of the removed row; where nothing was removed, it is not written.
	Replace []byte
	// Blind, where there is neither UpTo nor Replace, spares the store a look whether the row is there. The delete is not in Result.Deleted.
	Blind bool
}

// IsBlind reports whether nobody has to look for the row: it says so, and nothing else asks what is there.
func (d *Delete) IsBlind() bool { return d.Blind && d.UpTo == 0 && d.Replace == nil }

// Sight says that somebody has read a row in a snapshot of this store, in which it was there, or others that are never there without it. A guard is the same with and without: where nothing was written under the key since, a store
// may take the sight for the truth, and spare itself a look.
type Sight struct {
	Snapshot   uint64     // its number; zero: nobody looked
	Generation Generation // that the row's value carries; zero where the guard asks for none
}

// Result is what became of one group.
type Result struct {
	Err        error  // ErrFenced or ErrGroupTooLarge: nothing of this group was written
	Skipped    bool   // the row in Requires was absent: nothing of this group was written
	Deleted    int    // rows removed or replaced by Deletes, but for blind ones
	FirstEvent uint64 // the number given to Events[0]; the others follow
	// NextEvent is the number that the shard's next event will have, as of this group: events with lower numbers were committed before it or with it, all others
	// after it. Zero where nothing was written.
	NextEvent uint64
}

// Snapshot is a consistent, unchanging view of a store. Its methods may be called from any goroutine until Close.
type Snapshot interface {
	// Get returns the row's value, which must not be changed, or ErrNotFound.
	Get(ctx context.Context, key []byte) ([]byte, error)
	// Scan yields the rows of the ranges in ascending order of their keys, which that of the ranges must be as well, none having anything in common with another. To
	// scan several at once costs less than one after the other. Key and Value are valid only until the next step. An error, once, ends the
	// sequence; a cancelled context is one.
	Scan(ctx context.Context, ranges ...Range) iter.Seq2[Row, error]
	// Number tells the snapshots of a store apart, as long as it is open: one that was taken later, and has more, has a higher number. None has zero.
	Number() uint64
	// Close gives the snapshot back. It may be called more than once.
	Close()
}

// Row is a key and its value.
type Row struct{ Key, Value []byte }

// Range is the keys from Start (included) to End (excluded).
type Range struct{ Start, End []byte }

// PrefixRange returns the range of all keys that start with prefix, which must not be empty or all 0xff.
func PrefixRange(prefix []byte) Range { return Range{Start: prefix, End: prefixEnd(prefix)} }

// After returns the part of r behind key.
func (r Range) After(key []byte) Range {
	start := make([]byte, 0, len(key)+1)
	return Range{Start: append(append(start, key...), 0), End: r.End}
}

func prefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
