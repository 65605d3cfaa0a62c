package badgerstore

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

// fenced is an epoch that was a shard's once. What it logged counts only where nobody acquired the shard after that: here somebody did.
const fenced = 1

// carryOut does what the store does with batches, but for the disk.
func carryOut(rows map[string]string, batches []persistence.Batch) {
	for _, batch := range batches {
		for _, g := range batch.Groups {
			if g.Epoch == fenced {
				continue
			}
			for _, put := range g.Puts {
				if _, there := rows[string(put.Key)]; there || !put.IfPresent {
					rows[string(put.Key)] = string(put.Value)
				}
			}
			for _, gone := range g.Deletes {
				delete(rows, string(gone.Key))
			}
		}
	}
}

// What is left out of a log changes nothing, whatever was in the store before, and wherever carrying it out is cut short.
func TestWhatIsLoggedAgainIsCarriedOutOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := func(shard persistence.Shard, label string) []byte {
			return []byte{'0' + byte(shard), 'a' + byte(rapid.IntRange(0, 4).Draw(t, label))}
		}
		shard := func() persistence.Shard { return persistence.Shard(rapid.IntRange(0, 2).Draw(t, "shard")) }
		before := map[string]string{}
		for range rapid.IntRange(0, 3).Draw(t, "rows before") {
			before[string(key(shard(), "row"))] = "before"
		}
		var records []record
		var all []persistence.Batch
		value := 0
		for at := range rapid.IntRange(1, 8).Draw(t, "records") {
			var batch persistence.Batch
			for range rapid.IntRange(0, 3).Draw(t, "groups") {
				g := persistence.Group{Shard: shard(), Epoch: persistence.Epoch(rapid.IntRange(fenced, fenced+1).Draw(t, "epoch"))}
				for range rapid.IntRange(0, 3).Draw(t, "puts") {
					value++
					g.Puts = append(g.Puts, persistence.Put{Key: key(g.Shard, "put"), Value: fmt.Append(nil, value), IfPresent: rapid.Bool().Draw(t, "if present")})
				}
				for range rapid.IntRange(0, 2).Draw(t, "deletes") {
					g.Deletes = append(g.Deletes, persistence.Delete{Key: key(g.Shard, "delete")})
				}
				batch.Groups = append(batch.Groups, g)
			}
			b := appendRecord(nil, &batch)
			records = append(records, record{position: persistence.Position(at + 1), body: b[recordHeader:]})
			all = append(all, batch)
		}
		want := maps.Clone(before)
		carryOut(want, all)

		latest := latestBatches(t, records)
		certain := map[string]int{}
		for _, batch := range latest {
			for _, g := range batch.Groups {
				for _, put := range g.Puts {
					if g.Epoch != fenced && !put.IfPresent {
						certain[string(put.Key)]++
					}
				}
			}
		}
		for name, n := range certain {
			if n > 1 {
				t.Fatalf("row %s is put %d times", name, n)
			}
		}
		for cut := range latest {
			got := maps.Clone(before)
			carryOut(got, latest[:cut])
			carryOut(got, latestBatches(t, records[cut:]))
			if !maps.Equal(got, want) {
				t.Fatalf("cut short after %d records: %v, want %v", cut, got, want)
			}
		}
	})
}

func latestBatches(t *rapid.T, records []record) []persistence.Batch {
	batches, err := latest(records)
	if err != nil {
		t.Fatal(err)
	}
	if len(batches) != len(records) {
		t.Fatalf("%d batches of %d records", len(batches), len(records))
	}
	return batches
}
