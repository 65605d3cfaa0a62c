package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Duration reads a time: as Go does, or with days before that.
func Duration(text string) (time.Duration, error) {
	sign, rest := time.Duration(1), text
	if unsigned, negative := strings.CutPrefix(text, "-"); negative {
		sign, rest = -1, unsigned
	}
	number, rest, found := strings.Cut(rest, "d")
	if !found {
		d, err := time.ParseDuration(text)
		if err != nil {
			return 0, fmt.Errorf("%q is no duration: it is such as 30d, 1d12h, 720h, 10s or 500ms", text)
		}
		return d, nil
	}
	days, err := strconv.ParseUint(number, 10, 64)
	var more time.Duration
	if err == nil && rest != "" {
		more, err = time.ParseDuration(rest)
	}
	if err != nil || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+") || days > uint64(math.MaxInt64/day) || time.Duration(days)*day > math.MaxInt64-more {
		return 0, fmt.Errorf("%q is no duration: it is such as 30d, 1d12h, 720h, 10s or 500ms", text)
	}
	return sign * (time.Duration(days)*day + more), nil
}

// Value is a flag of a time that [Duration] reads.
type Value time.Duration

// String implements pflag.Value.
func (v *Value) String() string { return time.Duration(*v).String() }

// Set implements pflag.Value.
func (v *Value) Set(text string) error {
	d, err := Duration(text)
	*v = Value(d)
	return err
}

// Type implements pflag.Value.
func (*Value) Type() string { return "duration" }
