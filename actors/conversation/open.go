package conversation

import (
	"encoding/binary"
	"math/bits"

	"github.com/parley-im/parley/persistence"
)

// What is packed may be open: then the next posts are added to it where it lies, by AddPost, which reads and writes a few numbers at fixed places. They stand in front of what else is packed, and say what has
// become of that since: a State is made of both. Only posts are added that change nothing but these numbers: the next message, of somebody who is known to be a member, before the
// entries that lead to the conversation are to move. For everything else it is unpacked, changed by State.Apply, and packed anew.
//
// Numbers are of eight bytes, little-endian, unless said.
const (
	openLastSeq   = 2 + 8*iota // the last message
	openActivity               // when it was applied
	openSentAt                 // as the head has it
	openOrdered                // likewise
	openChanged                // likewise
	openDeadline               // likewise
	openWho                    // who sent which of the posts that were added, as places among the speakers, from the lowest bits on
	openWhoToo                 // continued
	openCalmUntil              // from then on a post moves the entries of the members' lists
	openDue                    // as the head has it
	openGeneration
	openVersion    // the head's
	openPosts      // how many were added; one byte
	openBesides    = openPosts + 1
	openSpeakers   = openPosts + 2 // how many there are; one byte
	openLast       = openPosts + 3 // which of them spoke last; one byte
	openPreview    = openPosts + 4 // its length; two bytes
	openRoom       = openPosts + 6 // how long it may be; two bytes
	openSpeaker    = openPosts + 8 // the speakers, and behind them the preview's room
	bitsOfWho      = 128
	mostSpeakers   = maxPackedMembers
	fewSpeakers    = 4 // of whom a place takes two bits; of more it takes four
	openAdded      = 1 // of openBesides: rows of posts that were added are yet to be taken
	openPinned     = 2 // of openBesides: a member has it pinned
	leastRoom      = 16
	previewsBeyond = 8 // how much longer than the present one a preview may become
)

// A speaker is a membership whose user may post.
const (
	speakerReadSeq = 8 * iota
	speakerReadAt
	speakerChanged
	speakerPosts                       // how many of those that were added; one byte
	speakerDirty    = speakerPosts + 1 // whether the membership's row is yet to be taken; one byte
	speakerMember   = speakerPosts + 2 // its place among those packed; one byte
	speakerNameSize = speakerPosts + 3 // one byte
	speakerName     = speakerPosts + 4 // where the name stands; two bytes
	speakerSize     = speakerPosts + 8
)

// PackOpen does as [State.Pack] does, and leaves what is packed open for posts where it may be. What it takes is some hundred bytes more then, and some thirty for each of the members.
// There is room for previews of so many bytes, and for those that are a little longer than the last one. Rows may be dirty as far as posts that were
// added have left them so: they still are then, and else it is packed closed.
func (s *State) PackOpen(b []byte, now persistence.Instant, previews int) ([]byte, bool) {
	if !s.alive(max(now, s.now)) {
		return b, false
	}
	p := s.packing()
	p.open, p.room = p.opens(), min(MaxPreview, max(leastRoom, previews, len(s.head.Preview)+previewsBeyond))
	return p.pack(b), true
}

// soiled reports whether rows are dirty such as posts leave them.
func (d *dirty) soiled() bool { return d.head && d.tail && d.members > 0 }

// opens reports whether the next post may change nothing but what stands in front.
func (p *packing) opens() bool {
	h := &p.head
	return (h.Large || listed(h, p.name)) && h.Noticed == 0 && !h.Held && h.Kept == 0 && h.Witness == "" && len(h.Rewinds) == 0 && h.Touched == 0 &&
		h.LoudSeq > h.Floor && h.Reason == persistence.ReasonExpired && p.tail.Last == h.LastSeq && (p.dirty == (dirty{}) || p.dirty.soiled() && p.soiledSpeak())
}

// soiledSpeak reports whether all whose memberships are dirty may post.
func (p *packing) soiledSpeak() bool {
	if p.members.len() > maxPackedMembers {
		return false
	}
	for _, m := range p.members.list {
		if m.dirty && !p.speaks(m.Membership) {
			return false
		}
	}
	return true
}

// speaks reports whether a member may post, and that changes nothing but what they have read.
func (s *State) speaks(m *persistence.Membership) bool {
	return !m.Left && !m.MarkedUnread && m.VisibleFrom <= s.head.LastSeq+1 && m.ReadSeq <= s.head.LastSeq
}

// appendOpen appends what stands in front, but for where the names are.
func (p *packing) appendOpen(b []byte, known []packedMember) []byte {
	h := &p.head
	calm := persistence.Never
	if !h.Large {
		calm = EntryStays(p.name, h.Listed)
	}
	for _, v := range [...]uint64{
		h.LastSeq, uint64(h.Activity), uint64(h.SentAt), uint64(h.Ordered), uint64(h.Changed), uint64(h.Deadline), 0, 0, uint64(calm), uint64(h.Due),
		uint64(h.Generation), h.Version,
	} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	besides := byte(0)
	if h.Pins > 0 {
		besides |= openPinned
	}
	if p.dirty.soiled() {
		besides |= openAdded
	}
	at := len(b)
	b = append(b, 0, besides, 0, 0)
	b = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(b, 0), uint16(p.room))
	n := byte(0)
	for i := range known {
		m := known[i].Membership
		if !p.speaks(m) {
			continue
		}
		b = binary.LittleEndian.AppendUint64(b, m.ReadSeq)
		b = binary.LittleEndian.AppendUint64(b, uint64(m.ReadAt))
		b = binary.LittleEndian.AppendUint64(b, uint64(m.Changed))
		soil := byte(0)
		if p.members.list[p.members.find(p.names.of(known[i].user))].dirty {
			soil = 1
		}
		b = append(b, 0, soil, byte(i), 0, 0, 0, 0, 0)
		n++
	}
	b[at+openSpeakers-openPosts] = n
	return append(b, make([]byte, p.room)...)
}

// nameSpeakers notes where the speakers' names stand in what is packed so far, which ends with the names. Who stands too far behind is none.
func (p *packing) nameSpeakers(packed []byte, known []packedMember) {
	o := openPacked(packed)
	for i := range o.speakers() {
		s := o.speaker(i)
		place := known[s[speakerMember]].user
		at := len(packed)
		for behind := uint64(len(p.names.roster) + len(p.names.others)); behind >= place; behind-- {
			at -= len(p.names.of(behind))
		}
		if at < 1<<16 {
			s[speakerNameSize] = byte(len(p.names.of(place)))
			binary.LittleEndian.PutUint16(s[speakerName:], uint16(at))
		}
	}
}

// openPacked is what is packed and open.
type openPacked []byte

func (o openPacked) number(at int) uint64 { return binary.LittleEndian.Uint64(o[at:]) }

func (o openPacked) time(at int) persistence.Instant { return persistence.Instant(o.number(at)) }

func (o openPacked) put(at int, v uint64) { binary.LittleEndian.PutUint64(o[at:], v) }

func (o openPacked) short(at int) int { return int(binary.LittleEndian.Uint16(o[at:])) }

func (o openPacked) speakers() int { return int(o[openSpeakers]) }

func (o openPacked) speaker(i int) openPacked {
	at := openSpeaker + i*speakerSize
	return o[at : at+speakerSize : at+speakerSize]
}

// room is where the preview of the last post stands, that was added.
func (o openPacked) room() []byte {
	at := openSpeaker + o.speakers()*speakerSize
	return o[at : at+o.short(openRoom)]
}

// size is how many bytes stand in front.
func (o openPacked) size() int { return openSpeaker + o.speakers()*speakerSize + o.short(openRoom) }

// find returns the place of a speaker, -1 where it is none.
func (o openPacked) find(user string) int {
	for i := range o.speakers() {
		s := o.speaker(i)
		if size := int(s[speakerNameSize]); size == len(user) {
			if at := s.short(speakerName); string(o[at:at+size]) == user {
				return i
			}
		}
	}
	return -1
}

// whoWidth is how many bits the place of a speaker takes.
func (o openPacked) whoWidth() int {
	if o.speakers() <= fewSpeakers {
		return bits.Len(fewSpeakers - 1)
	}
	return bits.Len(mostSpeakers-1) + 1
}

func (o openPacked) who(post int) int {
	bit := post * o.whoWidth()
	return int(o.number(openWho+bit/64*8)>>(bit%64)) & (1<<o.whoWidth() - 1)
}

func (o openPacked) putWho(post, speaker int) {
	bit := post * o.whoWidth()
	at := openWho + bit/64*8
	o.put(at, o.number(at)|uint64(speaker)<<(bit%64))
}

func isOpen(packed []byte) bool { return binary.LittleEndian.Uint16(packed)&packedOpen != 0 }

// Added is what a post that was added came to.
type Added struct {
	Generation, Version, LastSeq uint64
	Stamp                        persistence.Instant // when it was applied, as the rows have it
	First                        bool                // no rows were yet to be taken before
}

// AddPost applies a post to what is packed of a conversation, where it lies, and comes to the same as [State.Apply] would: whoever unpacks it later finds the rows of head, tail and sender's membership
// dirty. It reports false, and has done nothing, where it is not as simple as that.
func AddPost(packed []byte, name string, in *Input, p *Post) (added Added, ok bool) {
	if !isOpen(packed) || p.Silent || p.Unattended || p.MentionAll || len(p.Mentions) > 0 || in.Order != nil || in.Users {
		return added, false
	}
	o := openPacked(packed)
	last, posts := o.number(openLastSeq), int(o[openPosts])
	now := max(in.At, o.time(openActivity))
	policy := &in.Policy
	switch {
	case p.Seq != last+1 || now >= o.time(openDeadline) || (posts+1)*o.whoWidth() > bitsOfWho || len(p.Preview) > o.short(openRoom):
		return added, false
	case in.IfGeneration != 0 && in.IfGeneration != o.number(openGeneration):
		return added, false
	case policy.ExpireIdle > 0 || policy.ExpireAge > 0 || policy.KeepUnread || (policy.KeepPinned && o[openBesides]&openPinned != 0):
		return added, false
	case policy.MaxPreview > 0 && uint64(len(p.Preview)) > policy.MaxPreview:
		return added, false
	}
	sentAt := now
	if !p.SentAt.IsZero() {
		sentAt = min(now, persistence.InstantOf(p.SentAt))
	}
	ordered, stamp := max(o.time(openOrdered), sentAt), max(in.Now, in.At, o.time(openChanged))
	deadline, due := afterPost(policy, name, persistence.Generation(o.number(openGeneration)), now), o.time(openDue)
	if max(ordered, stamp) >= o.time(openCalmUntil) || (deadline != persistence.Never && (due == 0 || due > deadline)) {
		return added, false
	}
	who := o.find(p.Sender)
	if who < 0 {
		return added, false
	}
	for _, user := range p.Members {
		if o.find(user) < 0 {
			return added, false
		}
	}
	o.put(openLastSeq, p.Seq)
	o.put(openActivity, uint64(now))
	o.put(openSentAt, uint64(sentAt))
	o.put(openOrdered, uint64(ordered))
	o.put(openChanged, uint64(stamp))
	o.put(openDeadline, uint64(deadline))
	version := o.number(openVersion) + 1
	o.put(openVersion, version)
	o.putWho(posts, who)
	binary.LittleEndian.PutUint16(o[openPreview:], uint16(len(p.Preview)))
	copy(o.room(), p.Preview)
	added.First = o[openBesides]&openAdded == 0
	o[openPosts], o[openBesides], o[openLast] = byte(posts+1), o[openBesides]|openAdded, byte(who)
	s := o.speaker(who)
	s.put(speakerReadSeq, p.Seq)
	s.put(speakerReadAt, uint64(now))
	s.put(speakerChanged, uint64(max(s.time(speakerChanged), stamp)))
	s[speakerPosts]++
	s[speakerDirty] = 1
	added.Generation, added.Version, added.LastSeq, added.Stamp = o.number(openGeneration), version, p.Seq, stamp
	return added, true
}

// afterPost is the deadline after a loud post, where neither idleness nor age counts, and nobody keeps the generation.
func afterPost(p *Policy, name string, generation persistence.Generation, now persistence.Instant) persistence.Instant {
	if p.ExpireAfter <= 0 {
		return persistence.Never
	}
	deadline := now.Add(p.ExpireAfter)
	if p.ExpireJitter > 0 && deadline != persistence.Never {
		deadline = deadline.Add(p.jitter(name, generation))
	}
	return deadline
}

// Soiled reports whether rows are yet to be taken of what is packed.
func Soiled(packed []byte) bool {
	return isOpen(packed) && openPacked(packed)[openBesides]&openAdded != 0
}

// Cleaned notes that the rows were taken of what is packed.
func Cleaned(packed []byte) {
	o := openPacked(packed)
	o[openBesides] &^= openAdded
	for i := range o.speakers() {
		o.speaker(i)[speakerDirty] = 0
	}
}

func (o openPacked) posts() int { return int(o[openPosts]) }

// unpackHead has a head, and its tail, be what the posts have made of them, but for who sent those.
func (o openPacked) unpackHead(h *persistence.Head, t *persistence.Tail) {
	n := uint64(o.posts())
	if n == 0 {
		return
	}
	h.LastSeq, h.Version = o.number(openLastSeq), o.number(openVersion)
	h.LoudSeq = h.LastSeq
	h.Activity, h.SentAt, h.Ordered = o.time(openActivity), o.time(openSentAt), o.time(openOrdered)
	h.Changed, h.Deadline = o.time(openChanged), o.time(openDeadline)
	t.Version += n
}

// unpackPosts adds the posts to a State in which all else is unpacked.
func (o openPacked) unpackPosts(s *State) {
	n := o.posts()
	first := s.head.LastSeq - uint64(n) + 1
	for i := range n {
		seq := first + uint64(i)
		s.tail.Extend(seq)
		s.tail.Senders.Set(seq, s.members.list[o.speaker(o.who(i))[speakerMember]].user)
	}
	s.head.LastSender = s.members.list[o.speaker(int(o[openLast]))[speakerMember]].user
	for i := range o.speakers() {
		from := o.speaker(i)
		if from[speakerPosts] == 0 {
			continue
		}
		m := &s.members.list[from[speakerMember]]
		m.ReadSeq, m.ReadAt, m.Changed = from.number(speakerReadSeq), from.time(speakerReadAt), from.time(speakerChanged)
		m.Version += uint64(from[speakerPosts])
	}
}

// unpackSoil marks the rows of a State that are yet to be taken.
func (o openPacked) unpackSoil(s *State) {
	if o[openBesides]&openAdded == 0 {
		return
	}
	s.dirty.head, s.dirty.tail = true, true
	for i := range o.speakers() {
		if from := o.speaker(i); from[speakerDirty] != 0 {
			s.members.list[from[speakerMember]].dirty = true
			s.dirty.members++
		}
	}
}

// MayAdd reports whether AddPost may come to something under a policy, as far as that does not depend on the post.
func MayAdd(packed []byte, policy *Policy) bool {
	return isOpen(packed) && openPacked(packed).speakers() > 0 && policy.ExpireIdle == 0 && policy.ExpireAge == 0 && !policy.KeepUnread
}

// LastPost returns when the last post was applied to what is packed; zero: none was added to it.
func LastPost(packed []byte) persistence.Instant {
	if !isOpen(packed) || openPacked(packed).posts() == 0 {
		return 0
	}
	return openPacked(packed).time(openActivity)
}

// Approach reads of what is packed where AddPost will, so that it is in the processor's cache by then: of several conversations, that is waited for together. It reads nothing that [Cleaned] writes.
func Approach(packed []byte) (something byte) {
	for _, at := range [...]int{openDue, openSpeaker + speakerName, openSpeaker + speakerName + cacheLine, openSpeaker + speakerName + 2*cacheLine} {
		if at < len(packed) {
			something += packed[at]
		}
	}
	return something
}

const cacheLine = 64

// longPosts is how many posts are unpacked each time at most: then those, on the average, and that all is packed anew once in so many of them, take the least together.
const longPosts = 8

// Long reports whether so many posts were added that whoever has rows taken after each of them has it packed anew sooner than unpack them all each time. There is room for previews of so many bytes.
func Long(packed []byte) (previews int, long bool) {
	o := openPacked(packed)
	return o.short(openRoom), o.posts() >= longPosts
}

// Worn reports whether there is no room for one more post: there is once it is packed anew, with room for previews of so many bytes.
func Worn(packed []byte) (previews int, worn bool) {
	if !isOpen(packed) {
		return 0, false
	}
	o := openPacked(packed)
	return o.short(openRoom), (o.posts()+1)*o.whoWidth() > bitsOfWho
}
