package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/cmd/engine/parleyv1/parleyv1connect"
)

// defaultServer is where `engine serve` listens unless it is told otherwise.
const defaultServer = "http://127.0.0.1:7600"

// remoteTimeout bounds a call to a server that does not answer.
const remoteTimeout = time.Minute

// remote is a server that an operator's command asks.
type remote struct {
	url           string
	client        *http.Client
	conversations parleyv1connect.ConversationServiceClient
	operator      parleyv1connect.OperatorServiceClient
	patient       parleyv1connect.OperatorServiceClient // for calls that take as long as they take, and say so meanwhile
}

// newRemote returns the server at a URL. An error names the flag.
func newRemote(server string) (*remote, error) {
	if err := checkServer(server); err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{}, Timeout: remoteTimeout}
	return &remote{
		url:           server,
		client:        client,
		conversations: parleyv1connect.NewConversationServiceClient(client, server),
		operator:      parleyv1connect.NewOperatorServiceClient(client, server),
		patient:       parleyv1connect.NewOperatorServiceClient(&http.Client{Transport: client.Transport}, server),
	}, nil
}

// checkServer refuses what is no URL of a server. The error names the flag.
func checkServer(server string) error {
	if at, err := url.Parse(server); err != nil || at.Host == "" || (at.Scheme != "http" && at.Scheme != "https") {
		return fmt.Errorf("--server: must be a URL such as %s, is %q", defaultServer, server)
	}
	return nil
}

func (r *remote) close() { r.client.CloseIdleConnections() }

// refused says what the server said, or that there is none.
func (r *remote) refused(err error) error {
	e, ok := errors.AsType[*connect.Error](err)
	switch {
	case err == nil:
		return nil
	case ok && connect.IsWireError(err):
		return errors.New(e.Message())
	}
	return fmt.Errorf("--server: %s does not answer: %w", r.url, err)
}
