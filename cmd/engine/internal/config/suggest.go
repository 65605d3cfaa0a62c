package config

import (
	"reflect"
	"strings"
)

// suggest returns which of the names was probably meant, for the end of a sentence that says that there is none; "": none comes near.
func suggest(name string, names []string) string {
	best, least := "", 3
	for _, other := range names {
		if d := distance(name, other); d < least || (d == least && best == "") {
			best, least = other, d
		}
	}
	if best == "" {
		for _, other := range names {
			if len(name) > 3 && (strings.HasPrefix(other, name) || strings.HasPrefix(name, other)) {
				best = other
				break
			}
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is how many letters must be put in, taken away, or replaced to make one name the other (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// settings returns the names of a struct's settings in the file.
func settings(of any) (names []string) {
	for field := range reflect.TypeOf(of).Fields() {
		if name := field.Tag.Get("koanf"); name != "-" {
			names = append(names, name)
		}
	}
	return names
}
