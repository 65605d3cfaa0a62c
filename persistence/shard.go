package persistence

// Shards is the number of slices that all conversations are divided into. It is written into a store when that is created; a store
// with another count is refused.
const Shards = 256

// Shard is one of the [Shards] fixed slices of all conversations.
type Shard uint16

// ShardOf returns the shard of a conversation: the top bits of its 64-bit FNV-1a hash, finished with the 64-bit mixer of MurmurHash3 because
// FNV alone spreads short, similar names badly. The result is part of the on-disk format and never changes.
//
// FNV-1a: Fowler, Noll, Vo, http://www.isthe.com/chongo/tech/comp/fnv/. The mixer: Austin Appleby, MurmurHash3, fmix64.
func ShardOf(conversation string) Shard { return ShardOfHash(Hash(conversation)) }

// ShardOfHash is [ShardOf] for who has the [Hash] already.
func ShardOfHash(hash uint64) Shard { return Shard(hash >> 56) }

// Hash is the 64-bit hash that [ShardOf] is made of. It never changes.
func Hash(conversation string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(conversation) {
		h = (h ^ uint64(conversation[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return h
}
