// Package resident tells how much memory the process has.
package resident
