package persistencetest

import (
	"bytes"

	"github.com/parley-im/parley/persistence"
)

// read takes a row into account, or reports that it cannot be read.
func (c *checker) read(key, value []byte) {
	var err error
	switch kind := persistence.KindOf(key); kind {
	case persistence.KindHead:
		err = c.readHead(key, value)
	case persistence.KindTail:
		err = c.readTail(key, value)
	case persistence.KindMember:
		err = c.readMember(key, value)
	case persistence.KindMembership:
		err = c.readMembership(key, value)
	case persistence.KindDue:
		err = c.readDue(key, value)
	case persistence.KindEvent:
		err = c.readEvent(key, value)
	case persistence.KindRemoval:
		err = c.readRemoval(key, value)
	case persistence.KindOwner:
		err = c.readOwner(key, value)
	case persistence.KindLineage:
		_, err = persistence.DecodeLineage(value)
	case persistence.KindOrder:
		err = c.readOrder(key, value)
	case persistence.KindSweep:
		_, err = persistence.DecodeSweep(value)
	case persistence.KindGrave:
		err = c.readGrave(key, value)
	case persistence.KindStore: // each store has its own
	case persistence.KindRoster:
		err = c.readRoster(key, value)
	case persistence.KindEntry:
		err = c.readEntry(key, value)
	case persistence.KindUnknown:
		c.report(key, "no row has such a key")
	}
	if err != nil {
		c.report(key, "%v", err)
	}
}

// placed reports a key that is not the one that the names and numbers in it make.
func (c *checker) placed(key, want []byte, conversation string, users ...string) {
	if !bytes.Equal(key, want) {
		c.report(key, "the row of %q belongs under %q", conversation, want)
	}
	if err := persistence.CheckConversation(conversation); err != nil {
		c.report(key, "the conversation's name %v", err)
	}
	for _, user := range users {
		if err := persistence.CheckUser(user); err != nil {
			c.report(key, "the user's name %v", err)
		}
	}
}

func (c *checker) readHead(key, value []byte) error {
	name, err := persistence.ParseHeadKey(key)
	if err != nil {
		return err
	}
	c.placed(key, persistence.HeadKey(name), name)
	head, tombstone, err := persistence.DecodeHead(value)
	if err != nil {
		return err
	}
	if head != nil {
		c.of(name).head = head
	} else {
		c.of(name).tombstone = &tombstone
	}
	return nil
}

func (c *checker) readTail(key, value []byte) error {
	const before, after = 4, 1 // bytes around the name
	if len(key) <= before+after {
		return persistence.ErrKey
	}
	name := string(key[before : len(key)-after])
	c.placed(key, persistence.TailKey(name), name)
	tail, err := persistence.DecodeTail(value)
	if err != nil {
		return err
	}
	c.of(name).tail = tail
	return nil
}

func (c *checker) readMember(key, value []byte) error {
	name, user, err := persistence.ParseMemberKey(key)
	if err != nil {
		return err
	}
	c.placed(key, persistence.MemberKey(name, user), name, user)
	member, err := persistence.DecodeMember(value)
	if err != nil {
		return err
	}
	c.of(name).members[user] = member.Generation
	return nil
}

func (c *checker) readMembership(key, value []byte) error {
	user, name, err := persistence.ParseMembershipKey(key)
	if err != nil {
		return err
	}
	c.placed(key, persistence.MembershipKey(user, name), name, user)
	membership, err := persistence.DecodeMembership(value)
	if err != nil {
		return err
	}
	c.of(name).memberships[user] = membership
	return nil
}

func (c *checker) readDue(key, value []byte) error {
	name, deadline, generation, err := persistence.ParseDueKey(key)
	if err != nil {
		return err
	}
	c.placed(key, persistence.DueKey(name, deadline, generation), name)
	due, err := persistence.DecodeDue(value)
	if err != nil {
		return err
	}
	of := c.of(name)
	of.dues = append(of.dues, dueEntry{key: key, deadline: deadline, generation: generation, ended: due.Ended})
	return nil
}

func (c *checker) readEvent(key, value []byte) error {
	shard, number, err := persistence.ParseEventKey(key)
	if err != nil {
		return err
	}
	c.last[shard] = number
	event, err := persistence.DecodeEvent(value)
	if err != nil {
		return err
	}
	if of := persistence.ShardOf(event.Conversation); of != shard {
		c.report(key, "the event of %q belongs to shard %d", event.Conversation, of)
	}
	events := c.of(event.Conversation).events
	if before, ok := events[event.Generation]; ok {
		c.report(key, "generation %d of %q expired before: %q", event.Generation, event.Conversation, before)
	}
	events[event.Generation] = key
	return nil
}

func (c *checker) readOwner(key, value []byte) error {
	owner, err := persistence.DecodeOwner(value)
	if err != nil {
		return err
	}
	for shard := range persistence.Shard(persistence.Shards) {
		if bytes.Equal(key, persistence.OwnerKey(shard)) {
			c.next[shard] = owner.NextEvent
			return nil
		}
	}
	c.report(key, "there is no such shard")
	return nil
}

func (c *checker) readRemoval(key, value []byte) error {
	user, stamp, name, err := persistence.ParseRemovalKey(key)
	if err != nil {
		return err
	}
	c.placed(key, persistence.RemovalKey(user, stamp, name), name, user)
	_, err = persistence.DecodeRemoval(value)
	return err
}

func (c *checker) readOrder(key, value []byte) error {
	user, err := persistence.ParseOrderKey(key)
	if err != nil {
		return err
	}
	if want := persistence.OrderKey(user); !bytes.Equal(key, want) {
		c.report(key, "the order to forget %q belongs under %q", user, want)
	}
	if err := persistence.CheckUser(user); err != nil {
		c.report(key, "the user's name %v", err)
	}
	order, err := persistence.DecodeOrder(value)
	if err != nil {
		return err
	}
	c.orders[user] = order.At
	return nil
}

func (c *checker) readRoster(key, value []byte) error {
	const before, after = 4, 1 // bytes around the name
	if len(key) <= before+after {
		return persistence.ErrKey
	}
	name := string(key[before : len(key)-after])
	c.placed(key, persistence.RosterKey(name), name)
	roster, err := persistence.DecodeRoster(value)
	if err != nil {
		return err
	}
	c.of(name).roster = roster
	return nil
}

func (c *checker) readEntry(key, value []byte) error {
	user, kind, at, name, err := persistence.ParseEntryKey(key)
	if err != nil {
		return err
	}
	c.placed(key, persistence.EntryKey(user, kind, at, name), name, user)
	entry, err := persistence.DecodeMember(value)
	if err != nil {
		return err
	}
	c.of(name).entries[string(key)] = entry.Generation
	return nil
}

func (c *checker) readGrave(key, value []byte) error {
	name, at, generation, err := persistence.ParseGraveKey(key)
	if err != nil {
		return err
	}
	c.placed(key, persistence.GraveKey(name, at, generation), name)
	if len(value) > 0 {
		c.report(key, "it has a value")
	}
	of := c.of(name)
	if of.graves == nil {
		of.graves = map[persistence.Generation][]byte{}
	}
	of.graves[generation] = key
	return nil
}
