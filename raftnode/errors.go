package raftnode

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"cadastre/registry"
)

// NotLeaderError is returned when only the leader can do what was asked. Nothing was done.
// The leader's id and address are empty if this node does not know one. It matches
// registry.CodeUnavailable.
type NotLeaderError struct {
	LeaderID      string
	LeaderAddress string
}

// Error names the leader, if known.
func (e *NotLeaderError) Error() string {
	if e.LeaderID == "" {
		return "this node is not the leader and knows none"
	}
	return fmt.Sprintf("this node is not the leader; node %s at %s is", e.LeaderID, e.LeaderAddress)
}

// Unwrap makes the error match registry.CodeUnavailable.
func (e *NotLeaderError) Unwrap() error { return registry.CodeUnavailable }

// ErrNotRunning is the cause of errors of a node that is not started yet or is stopping.
var ErrNotRunning = errors.New("the node is not running")

func unavailable(reason string, cause error) error {
	return &registry.Error{Code: registry.CodeUnavailable, Reason: reason, Err: cause}
}

func overloaded(reason string) error {
	return &registry.Error{Code: registry.CodeOverloaded, Reason: reason}
}

func outcomeUnknown(cause error) error {
	return &registry.Error{Code: registry.CodeOutcomeUnknown, Reason: "the outcome is not known", Err: cause}
}

// classify turns the error of a raft operation into the caller's terms. Only errors that
// raft gives before it has written anything mean that nothing was done.
func (n *Node) classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrNotLeader):
		return n.notLeader()
	case errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return unavailable("the leader is changing", err)
	case errors.Is(err, raft.ErrEnqueueTimeout):
		return unavailable("the leader is too busy", err)
	default:
		return outcomeUnknown(err)
	}
}

func (n *Node) notLeader() error {
	id, address := n.Leader()
	if id == n.cfg.NodeID { // it was lost a moment ago
		id, address = "", ""
	}
	return &NotLeaderError{LeaderID: id, LeaderAddress: address}
}

// await waits for a raft future within ctx. raft's futures know no context; one that is
// never answered is only possible while raft shuts down.
func (n *Node) await(ctx context.Context, future raft.Future) error {
	done := make(chan error, 1)
	go func() { done <- future.Error() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return outcomeUnknown(context.Cause(ctx))
	}
}
