package persistencetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-im/parley/persistence"
)

// awkwardUsers returns names that are prefixes of each other, look like keys, or sort where a careless key would not.
func awkwardUsers() []string {
	users := []string{
		"lx", "lx:y", "lx:", "lx/", "lx/y", "lx\x01", "lx\x01y", "l", ":", "/", "\x01", "\x7f", "é", "e\u0301", "\u00ff", "\U0010ffff", "x y", "日本",
		strings.Repeat("a", persistence.MaxName), strings.Repeat("a", persistence.MaxName-1), strings.Repeat("é", persistence.MaxName/2),
	}
	slices.Sort(users)
	return users
}

func awkwardConversations() []string {
	conversations := []string{
		"lx:a", "lx:a:y", "lx:a/y", "lx:a\x01", "lx:ab", "l:x", "lx:\x01", "lx:é", "lx:\U0010ffff", "lx::", "lx:日本", "lx/y:a", "k:\x01\x01c",
		"n:" + strings.Repeat("a", persistence.MaxName-2), "n:" + strings.Repeat("a", persistence.MaxName-3),
	}
	slices.Sort(conversations)
	return conversations
}

func nameTests() []suiteTest {
	return []suiteTest{
		{"no conversation's or user's range holds rows of another", func(s *subject) {
			users, conversations := awkwardUsers(), awkwardConversations()
			for _, conversation := range conversations {
				shard := persistence.ShardOf(conversation)
				s.acquire(shard)
				g := s.group(shard)
				add := func(key []byte) {
					g.Puts = append(g.Puts, persistence.Put{Key: key, Value: persistence.Member{Generation: 1}.Encode()})
				}
				add(persistence.HeadKey(conversation))
				add(persistence.TailKey(conversation))
				for _, user := range users {
					add(persistence.MemberKey(conversation, user))
					add(persistence.MembershipKey(user, conversation))
				}
				s.commitAll(g)
			}
			for _, conversation := range conversations {
				var got []string
				for _, row := range s.rows(persistence.MembersRange(conversation)) {
					name, user, err := persistence.ParseMemberKey([]byte(row.Key))
					if err != nil || name != conversation {
						s.Errorf("members of %q: a row of %q, %v", conversation, name, err)
					}
					got = append(got, user)
				}
				s.equal(fmt.Sprintf("members of %q", conversation), got, users)
			}
			for _, user := range users {
				var got []string
				for _, row := range s.rows(persistence.MembershipsRange(user)) {
					name, conversation, err := persistence.ParseMembershipKey([]byte(row.Key))
					if err != nil || name != user {
						s.Errorf("memberships of %q: a row of %q, %v", user, name, err)
					}
					got = append(got, conversation)
				}
				s.equal(fmt.Sprintf("memberships of %q", user), got, conversations)
			}
			var heads []string
			for shard := range persistence.Shard(persistence.Shards) {
				for _, row := range s.rows(persistence.HeadsRange(shard)) {
					conversation, err := persistence.ParseHeadKey([]byte(row.Key))
					if err != nil || persistence.ShardOf(conversation) != shard {
						s.Errorf("heads of shard %d: %q, %v", shard, conversation, err)
					}
					heads = append(heads, conversation)
				}
			}
			slices.Sort(heads)
			s.equal("heads", heads, conversations)
		}},
		{"due entries come in the order of their deadlines, whatever the names", func(s *subject) {
			const conversation = "lx:a"
			shard := persistence.ShardOf(conversation)
			s.acquire(shard)
			deadlines := []persistence.Instant{1, 255, 256, 1 << 40, persistence.Never}
			for _, deadline := range slices.Backward(deadlines) {
				for _, generation := range []persistence.Generation{1, 300} {
					g := s.group(shard)
					g.Puts = append(g.Puts, persistence.Put{Key: persistence.DueKey(conversation, deadline, generation)})
					s.commitAll(g)
				}
			}
			for from := range deadlines {
				for to := from; to < len(deadlines); to++ {
					var got []string
					var want []string
					for _, row := range s.rows(persistence.DueRange(shard, deadlines[from], deadlines[to])) {
						name, deadline, generation, err := persistence.ParseDueKey([]byte(row.Key))
						if err != nil || name != conversation {
							s.Errorf("a due entry of %q, %v", name, err)
						}
						got = append(got, fmt.Sprint(deadline, generation))
					}
					for _, deadline := range deadlines[from : to+1] {
						want = append(want, fmt.Sprint(deadline, 1), fmt.Sprint(deadline, 300))
					}
					s.equal(fmt.Sprintf("due from %d to %d", deadlines[from], deadlines[to]), got, want)
				}
			}
		}},
	}
}
