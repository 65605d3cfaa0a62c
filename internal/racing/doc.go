// Package racing tells tests whether the race detector runs, which makes everything about ten times slower: what is many times as long as it need be to find a race does less then.
package racing
