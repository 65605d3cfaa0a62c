package server

import (
	"context"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// A body that does not decode must be refused like everything else, with a detail that names the field, but Connect makes its own error, without
// details, of whatever a codec returns. So our codecs return none: they leave the fault in the message, and an interceptor refuses the call
// before any method sees it. The place is the message's unknown fields, which nothing from the wire can reach because our codecs drop those.

// faultField is the number of the unknown field that holds the fault: the highest there is, so that no field of the API will have it.
const faultField = protowire.MaxValidNumber

// setFault makes message one that says only why it could not be decoded.
func setFault(message proto.Message, fault *parleyv1.Error) {
	proto.Reset(message)
	encoded, err := proto.Marshal(fault)
	if err != nil {
		encoded = nil // the fault's own text does not encode: what is left is an error without a text
	}
	field := protowire.AppendTag(nil, faultField, protowire.BytesType)
	message.ProtoReflect().SetUnknown(protowire.AppendBytes(field, encoded))
}

// malformedError is a fault in one message. To Connect it is what a call fails with; a stream may answer it and go on with the next message.
type malformedError struct{ detail *parleyv1.Error }

func (e *malformedError) Error() string { return e.detail.GetMessage() }

// Unwrap gives Connect the error that it sends.
func (e *malformedError) Unwrap() error {
	return refusal{code: connect.CodeInvalidArgument, detail: e.detail}.connectError()
}

// checkFault returns the fault that setFault left, as a malformedError.
func checkFault(message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return nil
	}
	unknown := m.ProtoReflect().GetUnknown()
	if len(unknown) == 0 {
		return nil
	}
	fault := &parleyv1.Error{Code: parleyv1.Code_CODE_INVALID}
	if _, _, tag := protowire.ConsumeTag(unknown); tag > 0 {
		if encoded, n := protowire.ConsumeBytes(unknown[tag:]); n > 0 {
			_ = proto.Unmarshal(encoded, fault) // setFault encoded it
		}
	}
	return &malformedError{detail: fault}
}

// faultInterceptor refuses messages that carry a fault.
type faultInterceptor struct{}

// WrapUnary implements [connect.Interceptor].
func (faultInterceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		if err := checkFault(request.Any()); err != nil {
			return nil, err
		}
		return next(ctx, request)
	}
}

// WrapStreamingClient implements [connect.Interceptor].
func (faultInterceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements [connect.Interceptor].
func (faultInterceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		return next(ctx, faultConn{conn})
	}
}

type faultConn struct{ connect.StreamingHandlerConn }

// Receive fails for a message that carries a fault.
func (c faultConn) Receive(message any) error {
	if err := c.StreamingHandlerConn.Receive(message); err != nil {
		return err
	}
	return checkFault(message)
}
