package reaping_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/benchmarks/reaping"
	"github.com/parley-im/parley/persistence"
)

func TestWhatIsReapedCanBeDeletedRaw(t *testing.T) {
	const conversations, members = 300, 3
	took, rows, err := reaping.Reap(t.Context(), t.TempDir(), conversations, members)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[persistence.Kind]int{}
	for _, row := range rows {
		kinds[persistence.KindOf(row.Key)]++
	}
	if kinds[persistence.KindHead] != conversations || kinds[persistence.KindMembership] != members*conversations || took <= 0 {
		t.Errorf("rows by kind: %v, in %v; want %d heads and %d memberships", kinds, took, conversations, members*conversations)
	}
	if took, err := reaping.DeleteRaw(t.TempDir(), rows); err != nil || took <= 0 {
		t.Errorf("raw: took %v, error %v", took, err)
	}
}

func TestEverythingExpiresWhileProposalsAreAnswered(t *testing.T) {
	load := reaping.Load{Rate: 1000, Expiring: 400, Phase: 500 * time.Millisecond, Unpaced: true}
	felt, err := reaping.Feel(t.Context(), t.TempDir(), load)
	if err != nil {
		t.Fatal(err)
	}
	if felt.Late.Count() != 200 {
		t.Errorf("%d deletions were told, want 200", felt.Late.Count())
	}
	if felt.Quiet.Count() == 0 || felt.During.Count() == 0 || felt.Rows <= 0 || felt.Quiet.Quantile(99) <= 0 {
		t.Errorf("%d posts when it was quiet, %d while conversations expired, %.0f rows a second", felt.Quiet.Count(), felt.During.Count(), felt.Rows)
	}
}
