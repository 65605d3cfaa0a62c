package actors

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func forgotten(_, _ []byte) {}

// TestWhatIsPackedIsWhatWasPutInLastOrForgotten holds the log against a map. What is not there any more is forgotten because there was no room, which is so only where there is little.
func TestWhatIsPackedIsWhatWasPutInLastOrForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room := rapid.SampledFrom([]int{0, leastPackedPart - 1, leastPackedPart, 3 * leastPackedPart, 20 * leastPackedPart, 1 << 20}).Draw(t, "room")
		p := newPacked(room, forgotten)
		model := map[string][]byte{}
		for i := range rapid.IntRange(1, 400).Draw(t, "steps") {
			name := fmt.Sprint("a:", rapid.IntRange(0, 60).Draw(t, "name"))
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0, 1, 2, 3:
				content := bytes.Repeat([]byte{byte(i)}, rapid.SampledFrom([]int{0, 1, 150, 1000, 3000, 5000}).Draw(t, "size"))
				p.put(name, content)
				model[name] = content
			case 4, 5:
				got, ok := p.take(name)
				want, known := model[name]
				if ok && (!known || !bytes.Equal(got, want)) {
					t.Fatalf("%s: got %d bytes, want %d, known: %v", name, len(got), len(want), known)
				}
				if !ok && known && room == 1<<20 && len(want) < 5000 {
					t.Fatalf("%s is forgotten, though there is room", name)
				}
				delete(model, name)
			case 6:
				room = min(room, rapid.SampledFrom([]int{0, 5 * leastPackedPart, 1 << 20}).Draw(t, "smaller"))
				p.resize(room)
			}
			if p.size() > room {
				t.Fatalf("it takes %d bytes of %d", p.size(), room)
			}
			live := 0
			for _, e := range p.index.entries {
				if e != 0 {
					_, _, size := p.record(e.at())
					live += size
				}
			}
			if live != p.live {
				t.Fatalf("%d bytes are wanted, and it takes them for %d", live, p.live)
			}
		}
	})
}

func TestWhatIsTakenOutMakesRoom(t *testing.T) {
	const room, n = 1 << 20, 3_000
	p := newPacked(room, forgotten)
	content := make([]byte, 150)
	for i := range n { // half of the room
		p.put(fmt.Sprint("a:", i), content)
	}
	for round := range 20 {
		for i := range n {
			name := fmt.Sprint("a:", i)
			if _, ok := p.take(name); !ok {
				t.Fatalf("round %d: %s is forgotten, though what is wanted takes %d of %d bytes", round, name, p.live, room)
			}
			p.put(name, content)
		}
	}
}

func TestWhatIsPackedTakesNotMuchMoreThanIsWantedWhateverTheRoom(t *testing.T) {
	const n = 20_000
	p := newPacked(64<<20, forgotten)
	content := make([]byte, 150)
	for round := range 10 {
		for i := range n {
			p.put(fmt.Sprint("a:", (i*7_919)%n), content)
		}
		if p.index.n != n {
			t.Fatalf("round %d: %d of %d are kept", round, p.index.n, n)
		}
		if size, wanted := p.size(), p.live+p.index.size(); size > wanted*17/10 {
			t.Fatalf("round %d: it takes %d bytes for %d that are wanted", round, size, wanted)
		}
	}
}

func TestWhereThereIsNoRoomTheOldestAreForgotten(t *testing.T) {
	const n = 20_000
	p := newPacked(1<<20, forgotten)
	content := make([]byte, 150)
	for i := range n {
		p.put(fmt.Sprint("a:", i), content)
	}
	kept := p.index.n
	if kept < 1<<20/300 {
		t.Errorf("%d conversations of about 180 bytes are kept in a MiB", kept)
	}
	for i := range n {
		if _, ok := p.take(fmt.Sprint("a:", i)); ok != (i >= n-kept) {
			t.Fatalf("the %dth of %d, of whom %d are kept: %v", i, n, kept, ok)
		}
	}
}
