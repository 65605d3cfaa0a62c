package contest

import "github.com/prometheus/procfs"

// readProcessors returns the time of all processors since the machine was started; zeros where the system does not tell.
func readProcessors() procfs.CPUStat {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return procfs.CPUStat{}
	}
	stat, err := proc.Stat()
	if err != nil {
		return procfs.CPUStat{}
	}
	return stat.CPUTotal
}

// asked is the time in which somebody wanted a processor, who had it or not. A guest's is in the user's as well.
func asked(t procfs.CPUStat) float64 { return t.User + t.Nice + t.System + t.IRQ + t.SoftIRQ + t.Steal }

// stolen returns the part of what was asked of the processors between two moments that the machine's host gave to others.
func stolen(from, to procfs.CPUStat) float64 {
	if asked(to) <= asked(from) {
		return 0
	}
	return (to.Steal - from.Steal) / (asked(to) - asked(from))
}
