package conversation

const (
	// changeWeight stands for a change besides what it refers to, with what the engine keeps of a proposal that waits.
	changeWeight = 256
	// userWeight stands for a user's name.
	userWeight = 32
)

// Weight returns about how many bytes a change takes in memory while it waits.
func Weight(change Change) int {
	n := changeWeight
	switch c := change.(type) {
	case *Post:
		n += len(c.Preview) + userWeight*(len(c.Members)+len(c.Mentions))
	case *Amend:
		n += len(c.Preview)
	case *Join:
		n += userWeight * len(c.Users)
	case *Leave:
		n += userWeight * len(c.Users)
	case *Set:
		n += len(c.Custom)
		if c.Draft != nil {
			n += len(c.Draft.Text)
		}
	default:
	}
	return n
}
