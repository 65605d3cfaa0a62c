// Package chat is the load that all sides of a comparison have in common: the same conversations, the same posts made in the same way, the same
// limits on what is under way, and the same ways of taking time.
package chat
