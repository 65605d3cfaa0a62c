// Package isolation measures what proposals feel while a mass of conversations expires, in three designs:
//
//   - [Inline]: whoever proposes deletes what has expired, there and then, and only then gets an answer.
//   - [Unpaced]: the engine's reaper deletes it, as fast as it can.
//   - [Paced]: the engine's reaper deletes it at its default pace.
//
// # What is the same
//
// All three run the same engine, on a store with the same options (every commit is fsynced), filled with the same rows by the same code, under
// the same load on the same path: a sender, then an actor of the host for each shard, then the engine, then one collector of replies. They
// run in one process, one after the other, in turns ([Config].Rounds), so that a busy minute of the machine does not fall on one design
// alone. Every deletion removes the same rows under the same guards, leaves the same tombstone and writes the same event, in batches of the
// same size, through the store's one committer.
//
// # What differs
//
// Where deletion happens. With Inline, the host's actor of a shard that finds something expired deletes one batch of it before it passes the
// proposal on. That is the kindest form of the design: it knows beforehand what is due and looks for nothing, and a proposal never pays for
// more than one batch. That the store has one committer is no handicap, for Badger itself writes one transaction after the other. The engine
// then runs on a clock that has not reached the deadlines, so that its reaper leaves the rows alone. In the other two designs, the host's
// actor passes the proposal on at once, and the engine's clock passes the deadlines in the course of the run.
//
// # How latency is taken
//
// The load is open: message i is due at start + i/rate, whether or not earlier ones were answered, and its latency runs from that moment until
// its reply arrived. A stall thereby counts for every message that was due while it lasted (no coordinated omission; Gil Tene, "How NOT to
// Measure Latency"). The sender sleeps between messages, so that latencies contain some tens of microseconds of its own lateness in all
// designs alike. Refused proposals have no latency; they are counted.
package isolation
