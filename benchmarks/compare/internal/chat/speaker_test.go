package chat

import (
	"testing"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

func TestEachConversationHasOneSpeakerAndGrowingNumbers(t *testing.T) {
	people := NewPopulation(1_000, 2)
	speakers := NewSpeakers(people, 100, 3)
	owner, last := map[string]int{}, map[string]uint64{}
	for s, speaker := range speakers {
		for range 5_000 {
			p, i := speaker.Next(actors.AckApplied)
			post, ok := p.Change.(*conversation.Post)
			if !ok || p.Conversation != people.Name(i) || p.Ack != actors.AckApplied || post.Sender != people.Sender(i) {
				t.Fatalf("%+v is not a post to conversation %d", p, i)
			}
			if before, known := owner[p.Conversation]; known && before != s {
				t.Fatalf("%s has the speakers %d and %d", p.Conversation, before, s)
			}
			owner[p.Conversation] = s
			if want := max(1, last[p.Conversation]) + 1; post.Seq != want {
				t.Fatalf("%s: post %d, want %d", p.Conversation, post.Seq, want)
			}
			last[p.Conversation] = post.Seq
		}
	}
	if len(owner) != 100 {
		t.Errorf("%d conversations were spoken in, want the 100 hot ones", len(owner))
	}
}

func TestASkewedSpeakerHasFavourites(t *testing.T) {
	shares := func(skewed bool) (most int) {
		speaker := NewSpeakers(NewPopulation(1_000, 2), 0, 1)[0]
		if skewed {
			speaker.Skew(1.1)
		}
		counts := map[int]int{}
		for range 20_000 {
			_, i := speaker.Next(actors.AckApplied)
			counts[i]++
			most = max(most, counts[i])
		}
		return most
	}
	if even, skewed := shares(false), shares(true); even > 60 || skewed < 1_000 {
		t.Errorf("of 20,000 posts, the favourite of 1,000 conversations has %d where all are alike, and %d by Zipf's law", even, skewed)
	}
}

func TestFavouritesAreWhatIsDrawnMost(t *testing.T) {
	speaker := NewSpeakers(NewPopulation(1_000, 2), 0, 1)[0]
	speaker.Skew(1.1)
	favourites := map[int]bool{}
	for _, i := range speaker.Favourites(100) {
		favourites[i] = true
	}
	if len(favourites) != 100 {
		t.Fatalf("%d favourites, want 100", len(favourites))
	}
	drawn := 0
	for range 10_000 {
		if _, i := speaker.Next(actors.AckApplied); favourites[i] {
			drawn++
		}
	}
	if drawn < 6_000 {
		t.Errorf("a tenth of the conversations has %d of 10,000 posts, want most", drawn)
	}
}

func TestFirstPostsNameTheOtherMembers(t *testing.T) {
	first, ok := NewPopulation(10, 3).First(4).Change.(*conversation.Post)
	if !ok || first.Seq != 1 || len(first.Members) != 2 || first.Members[0] == first.Sender || first.Members[0] == first.Members[1] {
		t.Errorf("%+v", first)
	}
}
