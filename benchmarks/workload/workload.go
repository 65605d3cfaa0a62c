package workload

import (
	"iter"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// The namespaces of all conversations: of those that are talked in, and of those that are over one day.
const (
	Namespace         = "load"
	ExpiringNamespace = "load-expiring"
)

// Workload draws proposals. It is for one goroutine.
type Workload struct {
	config        Config
	random        *rand.Rand
	pick          pick
	recorded      *recorded // of a trace; nil: it is none
	conversations names
	expiring      names
	users         names
	seqs          []uint64 // by conversation, the message drawn last
	preview       []byte
}

// New makes a workload. Everything that is wrong with the configuration is reported, joined, each as a *[FieldError]; a trace that cannot be read as what its reader says.
func New(c Config) (*Workload, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	w := &Workload{config: c, random: rand.New(rand.NewPCG(c.Seed, c.Seed^0x9e3779b97f4a7c15)), preview: []byte("Shall we meet at the station at seven?")}
	users := c.users()
	if c.Kind == Trace {
		var err error
		if w.recorded, err = readTrace(c.Trace); err != nil {
			return nil, err
		}
		w.config.Conversations, users = int(w.recorded.highestConversation)+1, int(w.recorded.highestUser)+1
	}
	w.conversations = newNames(Namespace+":"+w.mark(), w.config.Conversations)
	w.users = newNames("user-"+w.mark(), users)
	w.seqs = make([]uint64, w.config.Conversations)
	if c.Kind == Expiry {
		w.expiring = newNames(ExpiringNamespace+":"+w.mark(), c.Expiring)
	}
	w.pick = newPick(&w.config, w.random)
	return w, nil
}

// mark is what the run's name adds to names.
func (w *Workload) mark() string {
	if w.config.Run == "" {
		return ""
	}
	return w.config.Run + "-"
}

// Config returns what the workload was made of, with what stands for zero.
func (w *Workload) Config() Config { return w.config }

// posting is a post and its proposal in one piece of memory.
type posting struct {
	actors.Proposal
	conversation.Post
}

// reading likewise.
type reading struct {
	actors.Proposal
	conversation.Read
}

// Next draws a proposal. Posts of a conversation are numbered one by one.
func (w *Workload) Next() *actors.Proposal {
	if w.recorded != nil {
		return w.replayed()
	}
	id := w.pick()
	user := w.member(id, w.random.IntN(w.config.Members))
	if w.config.Reads > 0 && w.random.Float64() < w.config.Reads {
		r := &reading{Read: conversation.Read{User: user, Seq: max(1, w.seqs[id])}}
		r.Proposal = actors.Proposal{Conversation: w.conversations.at(id), Change: &r.Read, Ack: w.config.Ack}
		return &r.Proposal
	}
	return w.post(id, user)
}

// replayed is the next message of the trace.
func (w *Workload) replayed() *actors.Proposal {
	id, sender, mentions := w.recorded.row()
	p := w.post(id, w.users.at(sender))
	if len(mentions) > 0 {
		named := make([]string, len(mentions))
		for i, user := range mentions {
			named[i] = w.users.at(int(user))
		}
		p.Change.(*conversation.Post).Mentions = named //nolint:forcetypeassert,errcheck // it is what post makes
	}
	return p
}

func (w *Workload) post(id int, sender string) *actors.Proposal {
	w.seqs[id]++
	p := &posting{Post: conversation.Post{Seq: w.seqs[id], Sender: sender, Preview: w.preview}}
	p.Proposal = actors.Proposal{Conversation: w.conversations.at(id), Change: &p.Post, Ack: w.config.Ack}
	return &p.Proposal
}

// member returns a member of a conversation. Each next conversation has the users that follow, and each round through all users begins one user later, so that not always
// the same ones are together.
func (w *Workload) member(id, place int) string {
	users := w.users.len()
	first := id * w.config.Members
	return w.users.at((first + first/users + place) % users)
}

// Begin yields what must be applied before the first Next, in this order for each conversation: a post that names the members, and joins of those that it has no room for. They ask
// for AckApplied. What expires has its number, from 1, as its tag; the others have none.
func (w *Workload) Begin() iter.Seq[*actors.Proposal] {
	return func(yield func(*actors.Proposal) bool) {
		if w.recorded != nil {
			return
		}
		for id := range w.conversations.len() {
			for from := 0; from < w.config.Members; from += conversation.MaxUsers {
				if !yield(w.begin(id, from)) {
					return
				}
			}
		}
		for i := range w.expiring.len() {
			if !yield(&actors.Proposal{
				Conversation: w.expiring.at(i), Ack: actors.AckCommitted, Tag: uint64(i) + 1,
				Change: &conversation.Post{Seq: 1, Sender: w.users.at(i % w.users.len()), Preview: w.preview, Members: []string{w.users.at((i + 1) % w.users.len())}},
			}) {
				return
			}
		}
	}
}

func (w *Workload) begin(id, from int) *actors.Proposal {
	members := make([]string, min(conversation.MaxUsers, w.config.Members-from))
	for i := range members {
		members[i] = w.member(id, from+i)
	}
	p := &actors.Proposal{Conversation: w.conversations.at(id), Ack: actors.AckCommitted}
	if from > 0 {
		p.Change = &conversation.Join{Users: members}
		return p
	}
	w.seqs[id] = 1
	p.Change = &conversation.Post{Seq: 1, Sender: members[0], Preview: w.preview, Members: members}
	return p
}

// Beginnings returns how many proposals Begin yields.
func (w *Workload) Beginnings() int {
	if w.recorded != nil {
		return 0
	}
	parts := (w.config.Members + conversation.MaxUsers - 1) / conversation.MaxUsers
	return w.conversations.len()*parts + w.expiring.len()
}

// Expiring returns how many conversations are over with [Expires].
func (w *Workload) Expiring() int { return w.expiring.len() }

// IsExpiring reports whether a conversation is one of those.
func (w *Workload) IsExpiring(name string) bool {
	return w.expiring.len() > 0 && len(name) == w.expiring.width && strings.HasPrefix(name, ExpiringNamespace+":"+w.mark())
}

// Deletion is the proposal that ends a generation of an expiring conversation, by its number from 1, where no deadline does.
func (w *Workload) Deletion(tag, generation uint64) *actors.Proposal {
	return &actors.Proposal{
		Conversation: w.expiring.at(int(tag) - 1), Change: &conversation.Delete{}, Ack: actors.AckApplied, IfGeneration: generation,
	}
}

// ExpireOver is how long it takes from the first of those to the last.
func (w *Workload) ExpireOver() time.Duration { return w.config.ExpireOver }

// Askers returns the users who ask with [Asks], none with other workloads.
func (w *Workload) Askers() iter.Seq[string] {
	return func(yield func(string) bool) {
		if w.config.Kind != Storm {
			return
		}
		for i := range w.config.Askers {
			if !yield(w.users.at(i)) {
				return
			}
		}
	}
}
