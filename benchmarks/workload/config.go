package workload

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/trace"
)

// Config says what a workload is to be. Only Kind must be set.
type Config struct {
	Kind Kind
	// Conversations is how many are talked in. 0: 10,000; of Groups 50; of Storm as many as give each of the askers ten; a trace has its own.
	Conversations int
	// Members is how many users each of them has. Each user is in about ten. 0: 2; of Groups 2,000; of Storm 20. In a trace whoever has spoken is a member.
	Members int
	// Reads is the share of proposals that mark a conversation as read by one of its members; the others are posts. From 0 to 1. A trace has none.
	Reads float64
	// Skew is the exponent of Zipf, more than 1. 0: 1.1.
	Skew float64
	// Hot is the share of the conversations that are hot, of Hot. 0: 0.01.
	Hot float64
	// Expiring is how many conversations are over at once, of Expiry. They have two members and nobody talks in them. 0: 10,000.
	Expiring int
	// ExpireOver is over how long they end, instead of at one moment, of Expiry.
	ExpireOver time.Duration
	// Askers is how many users ask at once, of Storm. 0: 1,000.
	Askers int
	// Trace is what Trace reads, to its end, when the workload is made.
	Trace *trace.Reader
	// Ack is the level that proposals ask for. AckDefault: AckCommitted.
	Ack actors.Ack
	// Seed is what all drawing begins from.
	Seed uint64
	// Run is part of all names, so that several runs on one store do not meet. At most 32 letters, digits and dashes.
	Run string
}

// FieldError says what is wrong with a field of a configuration.
type FieldError struct {
	Field  string // in lower case, with dashes: "expire-over"
	Reason string
}

// Error names the field first.
func (f *FieldError) Error() string { return f.Field + ": " + f.Reason }

// What zero stands for.
const (
	defaultConversations = 10_000
	defaultMembers       = 2
	defaultGroups        = 50
	defaultGroupMembers  = 2_000
	defaultStormMembers  = 20
	defaultSkew          = 1.1
	defaultHot           = 0.01
	defaultExpiring      = 10_000
	defaultAskers        = 1_000
)

// Bounds of what is kept in memory.
const (
	maxConversations = 100_000_000
	maxMembers       = 1_000_000
	maxUsers         = 100_000_000
	maxRun           = 32
)

// conversationsOfUser is in how many conversations each user is, about.
const conversationsOfUser = 10

func (c Config) withDefaults() Config {
	c.Skew, c.Hot, c.Ack = cmp.Or(c.Skew, defaultSkew), cmp.Or(c.Hot, defaultHot), cmp.Or(c.Ack, actors.AckCommitted)
	c.Expiring, c.Askers = cmp.Or(c.Expiring, defaultExpiring), cmp.Or(c.Askers, defaultAskers)
	switch c.Kind {
	case Groups:
		c.Members, c.Conversations = cmp.Or(c.Members, defaultGroupMembers), cmp.Or(c.Conversations, defaultGroups)
	case Storm:
		c.Members = cmp.Or(c.Members, defaultStormMembers)
		c.Conversations = cmp.Or(c.Conversations, max(1, (c.Askers*conversationsOfUser+c.Members-1)/max(1, c.Members)))
	case Zipf, Uniform, Hot, Expiry, Trace:
	}
	c.Members, c.Conversations = cmp.Or(c.Members, defaultMembers), cmp.Or(c.Conversations, defaultConversations)
	return c
}

// validate reports everything that is wrong, joined: each is a *[FieldError].
func (c *Config) validate() error {
	var faults []error
	fault := func(field, reason string, values ...any) {
		faults = append(faults, &FieldError{Field: field, Reason: fmt.Sprintf(reason, values...)})
	}
	upTo := func(field string, v, most int) {
		if v < 1 || v > most {
			fault(field, "must be 1 to %d, is %d", most, v)
		}
	}
	if !c.Kind.known() {
		names := make([]string, 0, len(Kinds()))
		for _, k := range Kinds() {
			names = append(names, string(k))
		}
		fault("workload", "must be one of %s, is %q", strings.Join(names, ", "), c.Kind)
	}
	upTo("conversations", c.Conversations, maxConversations)
	upTo("members", c.Members, maxMembers)
	upTo("expiring", c.Expiring, maxConversations)
	upTo("askers", c.Askers, maxUsers)
	if c.Conversations*c.Members/conversationsOfUser > maxUsers {
		fault("members", "%d conversations of %d members are more than fit in memory", c.Conversations, c.Members)
	}
	if c.Reads < 0 || c.Reads > 1 {
		fault("reads", "must be a share from 0 to 1, is %v", c.Reads)
	}
	if c.Skew <= 1 {
		fault("skew", "must be more than 1, is %v", c.Skew)
	}
	if c.Hot <= 0 || c.Hot >= 1 {
		fault("hot", "must be a share between 0 and 1, is %v", c.Hot)
	}
	if c.ExpireOver < 0 {
		fault("expire-over", "must not be negative, is %v", c.ExpireOver)
	}
	if c.Kind == Trace && c.Trace == nil {
		fault("trace", "must be set")
	}
	if len(c.Run) > maxRun || strings.ContainsFunc(c.Run, func(r rune) bool { return r != '-' && !unicode.IsDigit(r) && !unicode.IsLetter(r) }) {
		fault("run", "must be at most %d letters, digits and dashes, is %q", maxRun, c.Run)
	}
	if users := c.users(); c.Kind == Storm && c.Askers > users {
		fault("askers", "must be at most the %d users of %d conversations of %d members, is %d", users, c.Conversations, c.Members, c.Askers)
	}
	return errors.Join(faults...)
}

// users returns how many users there are.
func (c *Config) users() int { return max(c.Members, c.Conversations*c.Members/conversationsOfUser) }
