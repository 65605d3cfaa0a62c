package actors

import "github.com/parley-im/parley/actors/conversation"

// target is where what is packed of a conversation is to be looked for.
type target struct {
	shard *shard
	mark  uint32 // its name's fingerprint in the shard's memory
	near  byte   // what was read ahead: nobody looks at it
}

// aim sets it.
func (t *target) aim(s *shard, name string) { t.shard, t.mark = s, s.mem.packed.mark(name) }

// approach has what is packed of targets come near, which are all of one worker's shards: what is looked for at random in a large memory is not in the processor's cache, and is waited for as long as a hundred additions
// take. Where the same small step is taken for many, one after the other, and none depends on another's, they are waited for together (Chen et al., "Improving hash join performance through prefetching", ICDE 2004:
// group prefetching). It is called in the worker's turn, in which alone anything is packed or taken out.
func approach(targets []target) {
	for i := range targets {
		t := &targets[i]
		t.near = t.shard.mem.packed.index.touch(t.mark)
	}
	for i := range targets {
		t := &targets[i]
		t.near += t.shard.mem.packed.touch(t.mark)
	}
	for i := range targets {
		t := &targets[i]
		t.near += t.shard.mem.packed.touchContent(t.mark)
	}
}

// touch reads the first byte of what is kept under a name of a fingerprint.
func (p *packed) touch(mark uint32) byte {
	if i := p.index.next(mark, int(mark)); i >= 0 {
		at := p.index.entries[i].at()
		return p.parts[at>>16][at&(mostPackedPart-1)]
	}
	return 0
}

// touchContent reads where posts are added.
func (p *packed) touchContent(mark uint32) byte {
	if i := p.index.next(mark, int(mark)); i >= 0 {
		_, content, _ := p.record(p.index.entries[i].at())
		return conversation.Approach(content)
	}
	return 0
}
