package server

import (
	"fmt"
	"mime"
	"net/http"
)

// explainMediaType says what Connect only has a status for: that a call needs a content type which is spoken here. curl, for one, sends another
// unless it is told.
func explainMediaType(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if contentType := r.Header.Get("Content-Type"); r.Method == http.MethodPost && !spoken(contentType) {
			w.Header().Set("Accept-Post", "application/json, application/proto, application/grpc, application/grpc-web")
			page(w, http.StatusUnsupportedMediaType, fmt.Sprintf("content type %q is not spoken here: for JSON, set Content-Type: application/json", contentType))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// spoken reports whether Connect, gRPC or gRPC-Web use the content type with one of our codecs.
func spoken(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch media {
	case "application/json", "application/proto", "application/connect+json", "application/connect+proto",
		"application/grpc", "application/grpc+json", "application/grpc+proto",
		"application/grpc-web", "application/grpc-web+json", "application/grpc-web+proto":
		return true
	}
	return false
}
