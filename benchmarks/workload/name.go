package workload

import (
	"fmt"
	"strconv"
	"strings"
)

// names are numbered names of one length. They are cut out of one string: a million of them are no work for the garbage collector, and asking for one allocates nothing.
type names struct {
	all   string
	width int
}

func newNames(prefix string, n int) names {
	digits := len(strconv.Itoa(max(0, n-1)))
	var b strings.Builder
	b.Grow(n * (len(prefix) + digits))
	for i := range n {
		fmt.Fprintf(&b, "%s%0*d", prefix, digits, i)
	}
	return names{all: b.String(), width: len(prefix) + digits}
}

func (n names) at(i int) string { return n.all[i*n.width : (i+1)*n.width] }

func (n names) len() int {
	if n.width == 0 {
		return 0
	}
	return len(n.all) / n.width
}
