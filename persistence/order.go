package persistence

import "strings"

// Order says that a user is to be forgotten: removed from all conversations. It is there from before the first of those knows of it until the last has done it, and nothing
// that begins meanwhile is meant.
type Order struct {
	At Instant // when it was given. No two orders to forget the same user have the same, and a later one has a higher one.
}

// OrderKey is the key of the [Order] to forget a user. It is a row of the shard that the user's name has.
func OrderKey(user string) []byte {
	return appendName(shardKey(ShardOf(user), kindOrder, len(user)+1), user)
}

// OrdersRange holds the orders of a shard, in the order of the users' names.
func OrdersRange(shard Shard) Range { return PrefixRange(shardKey(shard, kindOrder, 0)) }

// ParseOrderKey returns the user of an [OrderKey].
func ParseOrderKey(key []byte) (user string, err error) {
	names, err := parseNames(key, KindOrder, 4, 1)
	return names[0], err
}

// Encode returns the row's value.
func (o Order) Encode() []byte { return appendInstant([]byte{format}, o.At) }

// DecodeOrder reads an [Order].
func DecodeOrder(value []byte) (Order, error) {
	d := decode(value)
	o := Order{At: d.instant()}
	return o, rowError("order", d.done())
}

// Nobody stands in a tail where the sender of a message was forgotten. No user has this name.
const Nobody = "\x00"

// Forget replaces a user by [Nobody] wherever they are the sender, and reports whether they were. Nobody else's own messages are others for it.
func (t *Tail) Forget(user string) (was bool) {
	if user == "" || strings.ContainsRune(user, 0) {
		return false
	}
	for i := range min(t.Last, TailSenders) {
		if seq := t.Last - i; t.Senders.Of(seq) == user {
			t.Senders.Set(seq, Nobody)
			was = true
		}
	}
	return was
}
