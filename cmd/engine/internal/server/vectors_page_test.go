package server

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const semanticsPage = "../../../../docs/semantics.md"

// words are the outcomes that a cell of the page may promise, each of which stands there as code. The first are those of a change, the others
// those of a look.
var words = map[string]bool{
	"changed": true, "nothing": true, "INVALID": true, "NOT_FOUND": true, "CONFLICT": true, "HELD": true,
	"counts": true, "not counted": true, "shown": true, "not shown": true, "told": true, "removed": true, "not told": true,
}

var code = regexp.MustCompile("`([^`]*)`")

// promises returns what the tables of a page promise: the words of each cell, by its address "row | column". A row or a column whose heading has
// several names, with commas between, stands for one of each. Only tables whose cells have such words are promises; others explain.
func promises(t *testing.T, page string) map[string][]string {
	t.Helper()
	cells := map[string][]string{}
	var columns []string
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			columns = nil
			continue
		}
		row := strings.Split(strings.Trim(line, "|"), "|")
		switch {
		case columns == nil:
			columns = row
			continue
		case strings.Contains(row[0], "---"):
			continue
		case len(row) != len(columns):
			t.Fatalf("a row has %d cells, its heading has %d: %s", len(row), len(columns), line)
		}
		for i, cell := range row[1:] {
			var promised []string
			for _, match := range code.FindAllStringSubmatch(cell, -1) {
				if words[match[1]] && !slices.Contains(promised, match[1]) {
					promised = append(promised, match[1])
				}
			}
			if promised == nil {
				continue
			}
			for _, name := range headings(row[0]) {
				for _, column := range headings(columns[i+1]) {
					address := name + " | " + column
					if cells[address] != nil {
						t.Fatalf("there is more than one cell %q", address)
					}
					cells[address] = promised
				}
			}
		}
	}
	return cells
}

// headings returns the names in the first cell of a row or a column, without emphasis and code marks.
func headings(cell string) []string {
	names := strings.Split(strings.NewReplacer("*", "", "`", "", "…", "").Replace(cell), ", ")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

func readPage(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile(semanticsPage)
	if err != nil {
		t.Fatal(err)
	}
	return promises(t, string(page))
}

func TestEveryPromiseOfThePageHasAVectorThatHoldsIt(t *testing.T) {
	page := readPage(t)
	held := map[string]bool{}
	for _, v := range loadVectors(t) {
		for _, s := range v.Steps {
			for _, each := range append([]*step{s}, s.Batch...) {
				if each.Cell == "" {
					continue
				}
				outcome, err := each.expected(page)
				if err != nil {
					t.Errorf("%s: %q: %v", v.topic, v.Name, err)
				}
				held[each.Cell+": "+outcome] = true
			}
		}
	}
	for _, cell := range slices.Sorted(maps.Keys(page)) {
		for _, word := range page[cell] {
			if !held[cell+": "+word] {
				t.Errorf("no vector holds %q: %s", cell, word)
			}
		}
	}
}

func TestThePromisesOfAPageAreTheWordsOfItsCells(t *testing.T) {
	page := "Words like `changed` in prose are none.\n\n" +
		"| change | none | *over*, buried |\n| --- | --- | --- |\n" +
		"| **post** | `changed` begins | – |\n| read, `hold` | `NOT_FOUND`, never `max` | `nothing`; else `changed`, not `nothing` |\n\n" +
		"| word | what it is |\n| --- | --- |\n| none | never known |\n"
	got := promises(t, page)
	want := map[string]string{
		"post | none": "changed", "read | none": "NOT_FOUND", "hold | none": "NOT_FOUND", "read | over": "nothing changed",
		"read | buried": "nothing changed", "hold | over": "nothing changed", "hold | buried": "nothing changed",
	}
	if len(got) != len(want) {
		t.Errorf("the promises are %v, want %v", got, want)
	}
	for address, words := range want {
		if strings.Join(got[address], " ") != words {
			t.Errorf("%s promises %v, want %s", address, got[address], words)
		}
	}
	if len(readPage(t)) < 100 {
		t.Errorf("docs/semantics.md promises %d things: its tables are not read", len(readPage(t)))
	}
}
