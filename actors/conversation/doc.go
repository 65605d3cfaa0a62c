// Package conversation is the pure core of the engine: what a change does to a conversation, when a conversation is over, and what a user is shown of it.
//
// Nothing here waits, reads a clock or touches a store. A [State] is fed changes and times and answers with an [Outcome]: the rows to write, and whether a
// generation came to its end. An actor keeps the State in memory, a journal writes the rows, a reaper deletes what ended; all three see the same values.
//
// Everything merges: numbers of messages by maximum, marks by union, rosters by revision where one is given. Repeating a change, or applying two of them in the
// other order, comes out the same.
package conversation
