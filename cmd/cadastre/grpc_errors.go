package main

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// grpcMessage drops gRPC's own framing from an error, which means nothing to an operator.
func grpcMessage(err error) error {
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	switch s.Code() {
	case codes.Unavailable:
		return fmt.Errorf("the node cannot be reached: %s", s.Message())
	case codes.DeadlineExceeded:
		return fmt.Errorf("no answer in time: %s", s.Message())
	default:
		return fmt.Errorf("%s", s.Message())
	}
}
