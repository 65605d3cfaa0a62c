package conversation

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

func TestGroupsReadAsTheyWereWrittenWhateverTheNumbers(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) uint64 {
		return rapid.Uint64().Draw(t, "of") >> rapid.IntRange(0, 63).Draw(t, "shifted")
	})
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) (g group) {
			for i := range g {
				g[i] = number.Draw(t, "number")
			}
			return g
		}), 1, 3).Draw(t, "groups")
		b := []byte("before")
		for i := range groups {
			b = groups[i].append(b)
		}
		slack := bytes.Repeat([]byte{0xff}, groupSlack)
		rest, found := bytes.CutPrefix(append(b, slack...), []byte("before"))
		if !found {
			t.Fatal("what was there before is not")
		}
		for i := range groups {
			var got group
			if rest = got.read(rest); got != groups[i] {
				t.Fatalf("group %d is %x, want %x", i, got, groups[i])
			}
		}
		if !bytes.Equal(rest, slack) {
			t.Fatalf("% x is left", rest)
		}
	})
}

func TestWhatIsFarApartIsFoundAgainAndWhatIsNearIsSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		if got := near(b, apart(a, b)); got != a {
			t.Fatalf("%d, apart from %d, is %d again", a, b, got)
		}
		base := persistence.Instant(rapid.Int64Range(1<<50, 1<<51).Draw(t, "base"))
		for _, at := range []persistence.Instant{0, 1, persistence.Never, base, persistence.Instant(rapid.Int64Range(0, 1<<62).Draw(t, "at"))} {
			if got := after(base, since(at, base)); got != at {
				t.Fatalf("%d, since %d, is %d again", at, base, got)
			}
		}
		if by := rapid.Int64Range(-100, 100).Draw(t, "by"); since(base+persistence.Instant(by), base) > 201 {
			t.Fatalf("%d from the base takes %d", by, since(base+persistence.Instant(by), base))
		}
	})
}
