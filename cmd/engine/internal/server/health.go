package server

import (
	"io"
	"net/http"
)

func (*Server) healthz(w http.ResponseWriter, _ *http.Request) { page(w, http.StatusOK, "ok") }

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if reason := s.state.Load().reason; reason != "" {
		page(w, http.StatusServiceUnavailable, reason)
		return
	}
	page(w, http.StatusOK, "ready")
}

func page(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, sentence+"\n") //nolint:gosec // plain text; where the client is gone there is nobody to tell
}
