package load_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/benchmarks/load"
	"github.com/parley-im/parley/benchmarks/workload"
)

func pageOf(t *testing.T, r *load.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.WriteHTML(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// svgs returns the drawings of a page, and fails unless each is well-formed.
func svgs(t *testing.T, page string) []string {
	t.Helper()
	all := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	for _, svg := range all {
		decoder := xml.NewDecoder(strings.NewReader(svg))
		for {
			token, err := decoder.Token()
			if token == nil {
				break
			}
			if err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
		}
		for _, bad := range []string{"NaN", "Inf", "e+", "e-"} {
			if strings.Contains(svg, bad) {
				t.Errorf("%s is in %s", bad, svg)
			}
		}
	}
	return all
}

// checkPage fails the test unless a page is whole: nothing left open, and nothing that is fetched from anywhere.
func checkPage(t *testing.T, page string) {
	t.Helper()
	var open []string
	void := map[string]bool{"meta": true, "!doctype": true, "br": true}
	markup := regexp.MustCompile(`(?s)<(style|script[^>]*)>.*?</(style|script)>`).ReplaceAllString(page, "")
	for _, tag := range regexp.MustCompile(`<(/?)([a-z0-9!]+)[^>]*?(/?)>`).FindAllStringSubmatch(markup, -1) {
		switch {
		case void[tag[2]] || tag[3] == "/":
		case tag[1] == "":
			open = append(open, tag[2])
		case len(open) == 0 || open[len(open)-1] != tag[2]:
			t.Fatalf("%s is closed, and open are %v", tag[2], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%v are not closed", open)
	}
	for _, outside := range []string{"http://", "https://", "//www", "src=", "href=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("} {
		if strings.Contains(page, outside) {
			t.Errorf("%s is in the page: it is not self-contained", outside)
		}
	}
	for _, needed := range []string{"prefers-color-scheme: dark", "Content-Security-Policy", "default-src 'none'"} {
		if !strings.Contains(page, needed) {
			t.Errorf("%s is not in the page", needed)
		}
	}
	for _, data := range regexp.MustCompile(`(?s)<script type="application/json">(.*?)</script>`).FindAllStringSubmatch(page, -1) {
		if !json.Valid([]byte(data[1])) {
			t.Errorf("this is no JSON: %s", data[1])
		}
	}
	svgs(t, page)
}

func TestThePageShowsARunAndNeedsNothingElse(t *testing.T) {
	expiry := embedded(t, "", workload.Config{Kind: workload.Expiry, Conversations: 50, Expiring: 100}, load.Config{})
	expiry.Samples = append(expiry.Samples, load.Sample{AtSeconds: 0.9, HeapBytes: 1 << 20})
	expiry.Notes = append(expiry.Notes, "Something is odd.")
	page := pageOf(t, expiry)
	checkPage(t, page)
	for _, want := range []string{
		"Load: expiry at 500 proposals/s", "Latency over time", "Latency by percentile", "Throughput", "Reaper: deletions", "Reaper: lateness", "Memory", "Garbage collection",
		"99 of 100", "planned", "100 conversations reached their deadline", "In the phase “expiry”", "Something is odd.", ">quiet<", ">after<", ">total<", "GOMAXPROCS",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	if n := len(svgs(t, page)); n != 7 {
		t.Errorf("there are %d drawings, want 7", n)
	}
	storm := embedded(t, "", workload.Config{Kind: workload.Storm, Askers: 40, Members: 5}, load.Config{})
	page = pageOf(t, storm)
	checkPage(t, page)
	if !strings.Contains(page, "40 users asked at one moment") || !strings.Contains(page, "Answers to who asked") || strings.Contains(page, "Reaper") {
		t.Error("the page of a storm does not show the storm alone")
	}
}

func TestAPageOfNothingIsAPage(t *testing.T) {
	checkPage(t, pageOf(t, &load.Report{}))
	checkPage(t, pageOf(t, &load.Report{
		Interrupted: true, WindowSeconds: 1, Phases: []load.Part{{Name: "quiet"}, {Name: "storm", Asks: &load.Asks{Asked: 1}}}, Windows: []load.Window{{}},
		Expiry: &load.Expiry{Expiring: 1}, Samples: []load.Sample{{}, {AtSeconds: 1}}, Begun: time.Unix(0, 0),
	}))
}

func TestNamesFromOutsideAreNoMarkup(t *testing.T) {
	r := &load.Report{Target: "<b>a server</b>", Notes: []string{"</p><script>alert(1)</script>"}, Phases: []load.Part{{Name: "</script><i>"}}}
	page := pageOf(t, r)
	for _, markup := range []string{"<b>a server", "<script>alert", "<i>"} {
		if strings.Contains(page, markup) {
			t.Errorf("%s is in the page", markup)
		}
	}
	checkPage(t, page)
}
