package raftnode

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"cadastre/registry"
)

// membershipTimeout applies to callers who bring no deadline. A change waits for one that
// is under way and for a majority.
const membershipTimeout = 15 * time.Second

// Suffrage says whether a server votes.
type Suffrage string

// The suffrages.
const (
	Voter    Suffrage = "voter"
	Nonvoter Suffrage = "nonvoter"
)

// Server is a member of the Raft configuration.
type Server struct {
	ID       string
	Address  string
	Suffrage Suffrage
}

// Servers returns the members in the latest configuration that this node has, committed or
// not; it needs no leader.
func (n *Node) Servers() ([]Server, error) {
	r, err := n.running()
	if err != nil {
		return nil, err
	}
	future := r.GetConfiguration()
	if err := future.Error(); err != nil {
		return nil, fmt.Errorf("read the raft configuration: %w", err)
	}
	return convertServers(future.Configuration()), nil
}

func convertServers(c raft.Configuration) []Server {
	servers := make([]Server, 0, len(c.Servers))
	for _, s := range c.Servers {
		suffrage := Nonvoter
		if s.Suffrage == raft.Voter {
			suffrage = Voter
		}
		servers = append(servers, Server{ID: string(s.ID), Address: string(s.Address), Suffrage: suffrage})
	}
	return servers
}

// AddNonvoter adds a node that gets the log but does not vote, or changes its address.
// Only on the leader, as with all changes of membership. Errors as of Propose.
func (n *Node) AddNonvoter(ctx context.Context, id, address string) error {
	if err := checkNodeID(id); err != nil {
		return err
	}
	return n.changeMembership(ctx, func(r *raft.Raft, timeout time.Duration) raft.Future {
		return r.AddNonvoter(raft.ServerID(id), raft.ServerAddress(address), 0, timeout)
	})
}

// AddVoter gives a node a vote. Let it catch up as a non-voter first: a voter that lags
// counts towards the majority that is needed.
func (n *Node) AddVoter(ctx context.Context, id, address string) error {
	if err := checkNodeID(id); err != nil {
		return err
	}
	return n.changeMembership(ctx, func(r *raft.Raft, timeout time.Duration) raft.Future {
		return r.AddVoter(raft.ServerID(id), raft.ServerAddress(address), 0, timeout)
	})
}

// DemoteVoter takes a node's vote away.
func (n *Node) DemoteVoter(ctx context.Context, id string) error {
	return n.changeMembership(ctx, func(r *raft.Raft, timeout time.Duration) raft.Future {
		return r.DemoteVoter(raft.ServerID(id), 0, timeout)
	})
}

// RemoveServer removes a node. The last voter cannot be removed.
func (n *Node) RemoveServer(ctx context.Context, id string) error {
	return n.changeMembership(ctx, func(r *raft.Raft, timeout time.Duration) raft.Future {
		return r.RemoveServer(raft.ServerID(id), 0, timeout)
	})
}

// leading returns raft while this node leads, or a *NotLeaderError.
func (n *Node) leading() (*raft.Raft, error) {
	r, err := n.running()
	if err != nil {
		return nil, err
	}
	if r.State() != raft.Leader {
		return nil, n.notLeader()
	}
	return r, nil
}

func (n *Node) changeMembership(ctx context.Context, change func(*raft.Raft, time.Duration) raft.Future) error {
	r, err := n.leading()
	if err != nil {
		return err
	}
	ctx, cancel := withDefaultTimeout(ctx, membershipTimeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	timeout := time.Until(deadline)
	if timeout <= 0 {
		return unavailable("no time is left", context.Cause(ctx))
	}
	return n.classifyChange(n.await(ctx, change(r, timeout)))
}

// classifyChange is classify for changes of membership, which raft also refuses for being
// impossible, before it writes anything.
func (n *Node) classifyChange(err error) error {
	unknown := n.dog.err() != nil || errors.Is(err, raft.ErrLeadershipLost) || errors.Is(err, raft.ErrRaftShutdown)
	var classified *registry.Error
	switch {
	case err == nil, errors.As(err, &classified):
		return err
	case unknown, errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress), errors.Is(err, raft.ErrEnqueueTimeout):
		return n.classify(err)
	default:
		return fmt.Errorf("the change of membership is refused: %w", err)
	}
}

// TransferLeadership makes another voter the leader; with an empty id, the one that is
// most up to date.
func (n *Node) TransferLeadership(ctx context.Context, toID string) error {
	r, err := n.leading()
	if err != nil {
		return err
	}
	ctx, cancel := withDefaultTimeout(ctx, membershipTimeout)
	defer cancel()
	if toID == "" {
		return n.classifyChange(n.await(ctx, r.LeadershipTransfer()))
	}
	servers, err := n.Servers()
	if err != nil {
		return err
	}
	for _, s := range servers {
		if s.ID == toID && s.Suffrage == Voter {
			return n.classifyChange(n.await(ctx, r.LeadershipTransferToServer(raft.ServerID(s.ID), raft.ServerAddress(s.Address))))
		}
	}
	return fmt.Errorf("leadership cannot go to %q: it is not a voter of this cluster", toID)
}

// Status is how the node stands. Numbers are taken one after another, not at one instant.
type Status struct {
	NodeID string
	// State is raft's word: Follower, Candidate, Leader or Shutdown.
	State         string
	LeaderID      string
	LeaderAddress string
	Term          uint64
	CommitIndex   uint64
	// AppliedIndex is what the state holds.
	AppliedIndex uint64
	LastLogIndex uint64
	// LastContact is when this node last heard from its leader; zero on the leader.
	LastContact time.Time
	// IsMember says whether this node is in its own latest configuration; false before it
	// is added and after it is removed.
	IsMember bool
	// IsServing says whether this node is a leader that may serve.
	IsServing bool
	// Peers is what the leader last heard from the others, by node id; empty elsewhere.
	Peers map[string]PeerContact
}

// Status returns how the node stands.
func (n *Node) Status() (Status, error) {
	r, err := n.running()
	if err != nil {
		return Status{}, err
	}
	servers, err := n.Servers()
	if err != nil {
		return Status{}, err
	}
	s := Status{
		NodeID:       n.cfg.NodeID,
		State:        r.State().String(),
		Term:         r.CurrentTerm(),
		CommitIndex:  r.CommitIndex(),
		AppliedIndex: n.applied.get(),
		LastLogIndex: r.LastIndex(),
		IsServing:    n.IsLeader(),
	}
	s.LeaderID, s.LeaderAddress = n.Leader()
	leads := r.State() == raft.Leader
	if leads {
		s.Peers = make(map[string]PeerContact, len(servers))
	} else {
		s.LastContact = r.LastContact()
	}
	transport := n.transport.Load()
	for _, server := range servers {
		if server.ID == n.cfg.NodeID {
			s.IsMember = true
		} else if leads {
			s.Peers[server.ID] = transport.contact(raft.ServerID(server.ID))
		}
	}
	return s, nil
}
