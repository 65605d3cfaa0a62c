package badgerstore

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestAGroupFindsTheLastOfEachRowThatItWrites(t *testing.T) {
	for _, keys := range []int{3, fewOwn, 4 * fewOwn} {
		var own ownRows
		random := rand.New(rand.NewPCG(1, 2))
		for round := range 50 { // the memory of one is used again for the next
			own.reset(true)
			want := map[string]string{}
			for i := range 2 * random.IntN(keys) {
				key, value := fmt.Sprint(random.IntN(keys)), fmt.Sprint(round, i)
				own.add(row{key: []byte(key), value: []byte(value)})
				want[key] = value
			}
			for i := range keys {
				key := fmt.Sprint(i)
				r, ok := own.find([]byte(key))
				if value, there := want[key]; ok != there || string(r.value) != value {
					t.Fatalf("of %d keys, %q: found %v, %q; want %v, %q", keys, key, ok, r.value, there, value)
				}
			}
		}
	}
}

func TestATransactionFindsTheLastOfEachRowThatItWrote(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var written transaction
	want := map[string]string{}
	for i := range 6 * findsByLooking { // the first by looking, the others by an index that grows
		key, value := fmt.Sprint(random.IntN(100)), fmt.Sprint(i)
		written.written = append(written.written, row{key: []byte(key), value: []byte(value)})
		want[key] = value
		asked := fmt.Sprint(random.IntN(100))
		r, ok := written.find([]byte(asked))
		if value, there := want[asked]; ok != there || string(r.value) != value {
			t.Fatalf("after %d rows, %q: found %v, %q; want %v, %q", i+1, asked, ok, r.value, there, value)
		}
	}
}
