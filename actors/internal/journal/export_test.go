package journal

import (
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Add takes writes of which none are left to be encoded.
func (j *Journal) Add(name string, shard persistence.Shard, writes []conversation.Write, waiter Waiter) uint64 {
	return j.AddNoted(name, shard, writes, Note{}, waiter)
}

// AddNoted is Add for writes that watchers are told of.
func (j *Journal) AddNoted(name string, shard persistence.Shard, writes []conversation.Write, note Note, waiter Waiter) uint64 {
	seq, err := j.add(change{name: name, shard: shard, writes: writes, note: note, waiter: waiter})
	if err != nil && waiter != nil {
		waiter.Committed(Written{}, err)
	}
	return seq
}
