// Package persistencetest helps to test what keeps rows and what uses it.
//
//   - [Run] is the conformance suite: it holds for every implementation of persistence.Store.
//   - [Store] is such an implementation in memory, whose operations can be delayed, stopped half way, made to fail, and cut off as by a crash.
//   - [Check] reports everything in a store that contradicts something else in it.
package persistencetest
