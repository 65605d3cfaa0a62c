// Package badgerstore keeps Parley's rows in Badger, in one directory.
//
// # One committer
//
// One goroutine, the committer, runs every write transaction: those of Commit and those of Acquire. What a group's guards read therefore cannot
// change before the group is written, although Badger's own conflict detection is off. What waits when the committer is free shares as few
// transactions as it fits into, because each transaction costs one sync of the disk, however small it is.
//
// # A redo log
//
// Log appends to files of its own, in a subdirectory, and does not wait for the committer. Commits that cover what was logged move a mark, which is a row like others. What stands behind the mark is carried out by
// Open, and by Acquire.
//
// # Published snapshots
//
// Every new Badger transaction waits for the commits under way. So the committer opens one read-only transaction after each turn of writing, and
// publishes it before it answers; readers share it and never wait. It is discarded when a newer one was published and its last reader left.
package badgerstore
