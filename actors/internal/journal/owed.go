package journal

import (
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// AddRows takes in rows that nobody owes, which were encoded by the caller. Otherwise it is as [Live.Add].
func (j *Journal) AddRows(name string, shard persistence.Shard, writes []conversation.Write, note Note, waiter Waiter) error {
	_, err := j.add(change{name: name, shard: shard, writes: writes, note: note, waiter: waiter})
	return err
}

// owedRowBytes stands for what is kept in memory, besides what is changed, until a row that is owed is written.
const owedRowBytes = 16

// Owe notes that so many rows more, or less, changed somewhere else and are yet to be added: Config.Gather is called for them as if they were in the open batch already, and they count for [Journal.Full].
func (j *Journal) Owe(rows int) {
	owed := j.owed.Add(int64(rows))
	switch {
	case rows <= 0:
	case j.pressed(owed):
		j.Flush()
	case owed == int64(rows):
		j.mu.Lock()
		j.expect()
		j.mu.Unlock()
	}
}

// pressed reports whether so many owed rows, with what is in the batches, are half of what there may be: then there is no rest.
func (j *Journal) pressed(owed int64) bool {
	return owed > 0 && j.bytes.Load()+owed*owedRowBytes >= int64(j.config.MaxBytes)/2
}

// overdue reports whether rows have been owed for longer than they may be.
func (j *Journal) overdue() bool {
	return j.owed.Load() > 0 && j.config.Now().Sub(j.config.Oldest()) > j.config.MostInterval
}

// Where somebody waits for the batch that they go into, a part of the rows that are owed is gathered at a time: what comes in meanwhile cannot be more for long.
const (
	gatheredBeside = 4 // it is a fourth
	leastBeside    = 2_048
)

// gathers returns how many rows that are owed go into the open batch now: none where others are to be written before that, unless it is high time.
func (j *Journal) gathers() int {
	if j.owed.Load() <= 0 {
		return 0
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case len(j.sealed) > 0:
		return 0
	case len(j.handed) == 0 && j.logging == nil && !j.isAwaited():
		return j.config.Rows
	case j.overdue() || j.pressed(j.owed.Load()):
		return max(leastBeside, int(j.owed.Load())/gatheredBeside)
	}
	return 0
}
