// Package reaping measures the reaper: how fast it deletes where nothing holds it back ([Reap], against [DeleteRaw]), and what proposals feel of it
// while conversations expire all the time ([Feel]). It has the parts that such measurements are made of: a clock that waits, a load that does not, and
// conversations to expire.
package reaping
