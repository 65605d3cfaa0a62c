// Package workload draws what a chat backend would propose: to which conversation, by whom, and what.
//
// A [Workload] is made of a [Config] and is the same for the same one, draw by draw. It says what must be there before (Begin), what comes then (Next), and how the time is divided
// (Phases): into a quiet part and one in which a mass of conversations expires, or every user asks at once what changed. It sends nothing: package load does.
//
// Drawing is cheap, so that whoever measures does not measure the drawing: names are cut out of one string, what is kept for a conversation is a number, and the proposal is the one
// thing that is allocated.
package workload
