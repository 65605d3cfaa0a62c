// Package side runs the sides of a comparison, each alone in a process of its own, so that the heap, the collector and the background work of one
// are no burden to the other.
//
// The parent starts a child for each side, has them measure in turns, a round at a time, and ends them. A child whose turn it is not is stopped
// (SIGSTOP) where the system can do that. Parent and child speak lines of JSON over the child's standard input and output.
package side
