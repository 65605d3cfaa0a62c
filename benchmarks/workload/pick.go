package workload

import "math/rand/v2"

// pick returns the number of a conversation.
type pick func() int

// hotTraffic is the share of proposals that goes to the hot conversations.
const hotTraffic = 0.9

// newPick returns how conversations are picked for a kind that is not a trace.
func newPick(c *Config, random *rand.Rand) pick {
	n := c.Conversations
	switch c.Kind {
	case Zipf:
		zipf := rand.NewZipf(random, c.Skew, 1, uint64(n-1))
		return func() int { return int(zipf.Uint64()) }
	case Hot:
		hot := max(1, int(c.Hot*float64(n)))
		return func() int {
			if hot == n || random.Float64() < hotTraffic {
				return random.IntN(hot)
			}
			return hot + random.IntN(n-hot)
		}
	case Uniform, Groups, Expiry, Storm, Trace:
	}
	return func() int { return random.IntN(n) }
}
