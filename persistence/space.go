package persistence

// Space is what a store takes of its disk, and leaves, in bytes.
type Space struct {
	Tables   uint64 // sorted tables of rows
	Stale    uint64 // among those, what rewriting them would give back, as far as the store knows
	Logs     uint64 // of what was written last
	ValueLog uint64 // the value log
	Free     uint64 // what may still be written
	Reserve  uint64 // of that, what is kept: commits are refused with ErrStoreFull before it is touched. 0: nothing is, or it is not known.
	Given    uint64 // what maintenance has given back since the store was opened
}
