// Package actors is the conversation session engine: one actor for each active conversation, a write-behind journal, a chat list for each user, and a reaper that
// deletes what has expired without making anybody wait.
//
// An [Engine] is started on a store and holds, for every conversation, what was said last and what each member has read, hidden, cleared and pinned. The host owns
// the message log and the roster: it proposes what happened there ([Proposal]), and asks what a user should see ([Engine.Get], [Engine.Conversations],
// [Engine.Members]). It can do so from plain Go or, in a protoactor-go backend, by messages to [Engine.PID].
//
// # What happens to a proposal
//
// It is stamped by the engine's clock and put into the cell of its conversation: the one queue of its messages, which outlives the actor that works on it. The
// conversation's shard sees to it that there is an actor, from the rows in the journal and the store. The actor feeds the change to its pure state (package
// conversation), adds the changed rows to the journal, where readers see them, and answers once the ack level is reached. The journal is one group of rows for each
// conversation and flush; the store's committer writes them in one synced transaction.
//
// # What happens when it is over
//
// A conversation with a deadline has one entry in the due index, never later than the deadline. When that comes, the reaper has it judged whether the conversation is over: by
// itself where it is in use, and else from its rows.
// From its deadline on it is shown to nobody; its rows are deleted in batches, guarded by generation, so that a conversation which begins again
// meanwhile is not touched.
package actors
