package chat

import (
	"math/rand/v2"

	"github.com/parley-im/parley/actors"
)

// Speaker makes posts to conversations of its own, drawn at random, all alike. It belongs to one goroutine.
type Speaker struct {
	population *Population
	hot        int // conversations that are spoken in, by all speakers
	number, of int // which of the speakers it is, from 0, and how many there are
	seqs       []uint32
	draw       *rand.Rand
	skew       *rand.Zipf // nil: all alike
}

// NewSpeakers divides the conversations that are spoken in, hot of them (0: all), evenly spread over the population, among n speakers.
func NewSpeakers(p *Population, hot, n int) []*Speaker {
	if hot == 0 {
		hot = p.Len()
	}
	speakers := make([]*Speaker, n)
	for s := range speakers {
		seqs := make([]uint32, (hot-s+n-1)/n)
		for i := range seqs {
			seqs[i] = 1 // which begins the conversation
		}
		speakers[s] = &Speaker{population: p, hot: hot, number: s, of: n, seqs: seqs, draw: rand.New(rand.NewPCG(1, uint64(s)))}
	}
	return speakers
}

// target returns the number of one of the speaker's conversations.
func (s *Speaker) target(at int) int { return (at*s.of + s.number) * s.population.Len() / s.hot }

// Next returns the next post and the number of its conversation.
func (s *Speaker) Next(ack actors.Ack) (*actors.Proposal, int) {
	at := s.pick()
	s.seqs[at]++
	i := s.target(at)
	return s.population.Post(i, uint64(s.seqs[at]), ack), i
}

// Skew has the speaker draw by Zipf's law from now on: the n-th conversation is spoken in about n to the power of -exponent as often as the first. exponent is
// above 1.
func (s *Speaker) Skew(exponent float64) {
	s.skew = rand.NewZipf(s.draw, exponent, 1, uint64(len(s.seqs)-1))
}

func (s *Speaker) pick() int {
	if s.skew == nil {
		return s.draw.IntN(len(s.seqs))
	}
	return s.ranked(s.skew.Uint64())
}

// ranked returns the place of the conversation that is spoken in most but for so many others: neighbours in popularity are no neighbours in the store.
func (s *Speaker) ranked(rank uint64) int {
	const stride = 7_919 // a prime, so that each has one place where the number of conversations is no multiple of it
	return int(rank * stride % uint64(len(s.seqs)))
}

// Favourites returns the numbers of the n conversations that a skewed speaker draws most, from the first on.
func (s *Speaker) Favourites(n int) []int {
	all := make([]int, min(n, len(s.seqs)))
	for rank := range all {
		all[rank] = s.target(s.ranked(uint64(rank)))
	}
	return all
}

// Batch fills a batch with the next posts.
func (s *Speaker) Batch(into []*actors.Proposal, ack actors.Ack) {
	for i := range into {
		into[i], _ = s.Next(ack)
	}
}

// Each calls do with one post to each of the speaker's conversations, in their order, until do returns false.
func (s *Speaker) Each(ack actors.Ack, do func(i int, p *actors.Proposal) bool) {
	for at := range s.seqs {
		s.seqs[at]++
		i := s.target(at)
		if !do(i, s.population.Post(i, uint64(s.seqs[at]), ack)) {
			return
		}
	}
}
