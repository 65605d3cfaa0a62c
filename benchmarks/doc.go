// Package benchmarks holds the engine against the primitives it is made of, each pair in one run and in turns, so that the ratios can be trusted
// on a machine whose absolute figures cannot.
//
//	go test -run '^$' -bench . ./benchmarks
//
// The workloads that have other uses too are packages of their own: package replay sends recorded chat through an engine, package isolation
// measures what proposals feel while a mass of conversations expires, and package load sends the workloads of package workload at a rate of their own, for `engine load` and for
// BenchmarkLoad.
package benchmarks
