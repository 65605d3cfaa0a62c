// Package load sends a workload to an engine at a rate that the engine has no say in, and reports how long the answers took.
//
// The load is open: each call is planned for a moment of its own, by a schedule that was fixed before the first is sent, and is sent then whether or not those before it were answered.
// Its latency runs from the moment for which it was planned, not from when it was sent. An engine that stalls for a second is then seen to have stalled for everybody who came in that
// second. A driver that waits for answers before it goes on sends next to nothing meanwhile, and measures one slow call where thousands of users waited: it omits, together with the
// engine, just what one wants to know.
//
// What cannot be sent because too much is unanswered is counted as dropped. It is in no percentile, so percentiles beside drops are too good; reports say so.
package load
