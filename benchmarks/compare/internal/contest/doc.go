// Package contest holds the comparisons: what of Parley is measured against what, how large, and what ratio is to be reached. [Run] measures the sides of
// each in turns, and takes the medians.
package contest
