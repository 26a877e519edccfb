package cluster

import (
	"context"
	"errors"
	"io"

	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
)

// proposer is the part of the local Raft node that forwarding needs.
type proposer interface {
	// Propose commits a command if this node leads. It returns an error that asNotLeader
	// knows, or a *registry.Error of CodeUnavailable or CodeOverloaded, if nothing was done,
	// and one of CodeOutcomeUnknown if the command may still take effect.
	Propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error)
	// Submit hands over a command; wait, which must be called, returns what Propose does.
	Submit(command *fsmpb.Command) (wait func(ctx context.Context) (*fsmpb.Result, error))
	// CheckLevel returns an error of registry.CodeFeatureLevel if the cluster is not at the
	// level that the command needs.
	CheckLevel(command *fsmpb.Command) error
	// ReadIndex returns an index that covers everything acknowledged, if this node leads.
	ReadIndex(ctx context.Context) (uint64, error)
	// WaitApplied returns once the local state has applied the index.
	WaitApplied(ctx context.Context, index uint64) error
	// Leader returns the id of the leader that this node follows (or is), "" if none.
	Leader() (id, address string)
}

// Raft is the local Raft node as this package uses it: *raftnode.Node. It is an interface
// so that tests of the rules here need no consensus.
type Raft interface {
	proposer
	IsLeader() bool
	// AnswerConfirmTerm returns nil if this node follows the leader in the term.
	AnswerConfirmTerm(leaderID string, term uint64) error
	// Servers returns the latest Raft configuration that this node knows.
	Servers() ([]raftnode.Server, error)
	// The changes of the configuration work on the leader only.
	AddNonvoter(ctx context.Context, id, address string) error
	AddVoter(ctx context.Context, id, address string) error
	DemoteVoter(ctx context.Context, id string) error
	RemoveServer(ctx context.Context, id string) error
	// TransferLeadership hands over to a voter; "" lets Raft choose.
	TransferLeadership(ctx context.Context, toID string) error
	// WriteCheckpoint writes an archive of the state and returns the applied index inside.
	WriteCheckpoint(ctx context.Context, w io.Writer) (uint64, error)
}

// asNotLeader extracts the one kind of error that says "ask another node".
func asNotLeader(err error) (*raftnode.NotLeaderError, bool) {
	return errors.AsType[*raftnode.NotLeaderError](err)
}
