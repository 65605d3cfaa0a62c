// Package parley has the sides of the comparisons that are Parley's: an engine, on a store whose every commit is fsynced unless a side says otherwise,
// under each of the loads.
package parley
