// Package overload measures what an engine does when twice as much is proposed to it as it can do ([Run]): what becomes of those that it accepts, how soon the others are told that
// they are refused, and whether memory stays what it was.
//
// How much it can do is found in the same run, by posting with no more than some thousand unanswered. Then rounds of posts at a nominal share of that alternate with rounds at twice
// of it, at a rate that the engine has no say in. Its bounds are those that an operator would derive from the same figures: what waits is no more than what is done in a certain time.
//
// Latencies run from when a post was proposed, and beside that from when it was due. The driver does not wait for answers, so the engine cannot have it leave out what takes long; but it
// shares the processors with the engine, and making twice as many posts as can be done may take more of them than there are. That lateness is the driver's, and in the second alone.
package overload
