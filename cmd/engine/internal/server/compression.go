package server

import (
	"net/http"
	"net/netip"
)

// compressFrom is the size in bytes from which an answer is compressed for a client that takes that. Go's clients of Connect do unless they are told otherwise, and to compress an
// answer of a few numbers takes many times as long as to make it, for more bytes than it has.
const compressFrom = 1 << 10

// spareLoopback answers clients on this machine uncompressed: there is no network between to be saved. Clients may compress all the same.
func spareLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && from.Addr().Unmap().IsLoopback() {
			for _, accept := range []string{"Accept-Encoding", "Connect-Accept-Encoding", "Grpc-Accept-Encoding"} {
				r.Header.Del(accept)
			}
		}
		next.ServeHTTP(w, r)
	})
}
