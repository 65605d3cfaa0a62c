// Package persistence says what Parley stores and what it asks of a store.
//
// It holds three things: the contract of a [Store] (epochs, grouped commits, published snapshots), the keys and values of every row, and
// the limits on names that the keys rely on. It knows no actors and no database; package badgerstore implements it on Badger and package
// persistencetest checks any implementation.
//
// # Rows
//
// All rows live in one ordered keyspace. Rows of a conversation are grouped under its shard; rows of a user under the user's name.
//
//	k <shard> c <conversation>                          [Head], or [Tombstone]
//	k <shard> t <conversation>                          [Tail]
//	k <shard> m <conversation> <user>                   [Member]
//	k <shard> d <deadline> <conversation> <generation>  [Due]
//	k <shard> e <number>                                [Event]
//	u <user> <conversation>                             [Membership]
//	r <user> <stamp> <conversation>                     [Removal]
//	b …                                                 reserved for the index of chat lists
//	o <shard>                                           the shard's owner: epoch and event number
//	s <name>                                            the store itself: format, shard count, incarnation, clock
//
// Names end with a NUL, which no name may contain, so that no name is another's prefix and rows sort as their names do. Numbers in keys are
// big-endian. Every value starts with the version of its format; values that belong to one life of a conversation carry its generation right
// behind it, which is what guarded deletes compare.
package persistence
