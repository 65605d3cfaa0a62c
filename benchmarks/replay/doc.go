// Package replay sends a trace through a real engine and checks what comes out.
//
// The engine runs on a real Badger store (without fsync) and on a virtual clock that follows the trace's timestamps. The clock moves only while
// the engine is idle, and stops at the time of every timer that the engine has armed, so that each deadline is met at its own moment, however
// fast the replay goes. A message sent exactly at a deadline comes after the deadline.
//
// The check is independent: package oracle tells from the trace alone when each generation begins and ends. Every generation that the reaper
// deleted, and every one that is still there at the time of the last message, must be one of the oracle's, and the other way round.
package replay
