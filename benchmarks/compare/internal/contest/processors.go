package contest

import (
	"os"
	"strconv"
	"strings"
)

// processors is the time that was asked of the machine's processors since it was started, and what its host gave to others of that, in the system's ticks.
type processors struct{ asked, stolen float64 }

// readProcessors reads them; zeros where the system does not tell.
func readProcessors() processors {
	all, err := os.ReadFile("/proc/stat")
	if err != nil {
		return processors{}
	}
	return parseProcessors(string(all))
}

// parseProcessors parses what proc_stat(5) describes, whose first line has the sums.
func parseProcessors(stat string) (p processors) {
	const idle, iowait, steal, guest = 4, 5, 8, 9 // places in the line; a guest's time is in the user's as well
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) <= steal || fields[0] != "cpu" {
		return processors{}
	}
	for place, field := range fields[:min(guest, len(fields))] {
		if place == 0 || place == idle || place == iowait {
			continue
		}
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return processors{}
		}
		p.asked += ticks
		if place == steal {
			p.stolen = ticks
		}
	}
	return p
}

// stolenSince returns the part of what was asked of the processors since then that was given to others.
func (p processors) stolenSince(then processors) float64 {
	if p.asked <= then.asked {
		return 0
	}
	return (p.stolen - then.stolen) / (p.asked - then.asked)
}
