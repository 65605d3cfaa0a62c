// Package parleyv1 is the wire contract of the standalone engine, generated from api.proto and operator.proto.
//
// Package parleyv1connect, beside it, holds the clients and the servers of its services.
package parleyv1

// The generators come from modules that go.mod pins anyway; protoc itself, and its include files, must be installed.

//go:generate go build -o ../../../.tools/bin/ google.golang.org/protobuf/cmd/protoc-gen-go connectrpc.com/connect/cmd/protoc-gen-connect-go
//go:generate protoc -I ../../.. --plugin=../../../.tools/bin/protoc-gen-go --plugin=../../../.tools/bin/protoc-gen-connect-go --go_out=../../.. --go_opt=paths=source_relative --connect-go_out=../../.. --connect-go_opt=paths=source_relative,simple cmd/engine/parleyv1/api.proto cmd/engine/parleyv1/operator.proto
