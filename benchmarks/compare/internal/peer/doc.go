// Package peer has the sides of the comparisons that are not Parley's: what a user would pick instead, and the primitives that Parley is made of, each
// written as its users write it, under the same loads.
package peer
