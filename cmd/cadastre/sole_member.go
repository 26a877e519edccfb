package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"cadastre/cluster"
	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// soleMemberTimeout bounds applying what the log holds beyond the state, an election of
	// one, and a commit for each node.
	soleMemberTimeout = 10 * time.Minute
	// ownTokenSeconds is how long the token lives with which this node joins itself.
	ownTokenSeconds = 60
	// minOfflineFreeBytes must be free before this begins: room for the few entries that it
	// adds, and for what the log and the state each allocate at once.
	minOfflineFreeBytes = 64 << 20
	// offlineLowWaterMB stands for the node's own mark while it runs alone: that one keeps
	// room against the load of registrars, of which there is none here.
	offlineLowWaterMB = 1
)

// becomeSoleMember makes this node, which does not run, the only voter and the only member
// of its cluster. The Raft configuration changes by an entry that it adds to its own log;
// the table of nodes changes by ordinary commands, committed in this process, so that the
// state is still what its log gives. The nodes that it returns were members and are not any
// more. May be repeated if it was interrupted.
func (n *node) becomeSoleMember(ctx context.Context, reason string) (removed []string, err error) {
	if err := n.checkCanBeSole(); err != nil {
		return nil, err
	}
	if err := n.prepareSpace(); err != nil {
		return nil, err
	}
	if err := raftnode.MakeSoleVoter(n.cfg.raftDir(), n.store, n.cfg.NodeID, n.cfg.advertisedRaft()); err != nil {
		return nil, err
	}
	alone := func(context.Context, string, uint64) error { return errors.New("there is no other voter") }
	if err := n.openRaft(alone); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, soleMemberTimeout)
	defer cancel()
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		done <- n.raft.Run(running)
		cancel() // a node that ended by itself will never lead
	}()
	removed, err = n.reduceMembers(ctx, reason)
	stop()
	if err = errors.Join(err, <-done); err != nil {
		return nil, err
	}
	return removed, n.store.Flush()
}

// prepareSpace refuses a file system that is almost full before anything is written, and
// sets aside the low-water mark: a node that is recovered for want of space is below it.
func (n *node) prepareSpace() error {
	free, err := raftnode.FreeBytes(n.cfg.DataDir)
	if err != nil {
		return err
	}
	if free < minOfflineFreeBytes {
		return fmt.Errorf("the file system of %s has %d MiB free and %d are needed: free some space, or move the data folder to a larger file system, and run this again",
			n.cfg.DataDir, free>>20, minOfflineFreeBytes>>20)
	}
	cfg := *n.cfg
	cfg.Disk.LowWaterMB = offlineLowWaterMB
	n.cfg = &cfg
	return nil
}

// members returns the nodes of the state.
func (n *node) members() (nodes []registry.Node, err error) {
	err = n.store.View(func(tx *store.ReadTx) error {
		nodes = tx.Nodes()
		return nil
	})
	return nodes, err
}

// isAsConfigured says whether the state has this node with its present addresses.
func (n *node) isAsConfigured(m registry.Node) bool {
	return m.ID == n.cfg.NodeID && m.RaftAddress == n.cfg.advertisedRaft() && m.GRPCAddress == n.cfg.advertisedGRPC()
}

// keeper chooses the node that stays a member until this node has joined: there is always
// one. It is this node itself if the state has it as it is.
func (n *node) keeper(nodes []registry.Node) (registry.Node, bool) {
	var found registry.Node
	for _, m := range nodes {
		if n.isAsConfigured(m) {
			return m, true
		}
		if m.ID != n.cfg.NodeID && m.RaftAddress != n.cfg.advertisedRaft() {
			found = m
		}
	}
	return found, found.ID != ""
}

// checkCanBeSole finds before anything is changed what would refuse the commands later.
func (n *node) checkCanBeSole() error {
	nodes, err := n.members()
	if err != nil {
		return err
	}
	if _, ok := n.keeper(nodes); !ok && len(nodes) > 0 {
		m := nodes[0]
		return fmt.Errorf("the state has node %s with the addresses %s (raft) and %s (grpc) as its only member: keep these addresses, or use another node id with another Raft address",
			m.ID, m.RaftAddress, m.GRPCAddress)
	}
	return nil
}

// reduceMembers waits until this node leads with everything applied, makes it a member
// under its present addresses and removes all others.
func (n *node) reduceMembers(ctx context.Context, reason string) (removed []string, err error) {
	if err := waitLeading(ctx, n); err != nil {
		return nil, err
	}
	index, err := n.raft.ReadIndex(ctx)
	if err != nil {
		return nil, err
	}
	if err := n.raft.WaitApplied(ctx, index); err != nil {
		return nil, err
	}
	nodes, err := n.members()
	if err != nil {
		return nil, err
	}
	// The last entries may have changed the members.
	keeper, ok := n.keeper(nodes)
	if !ok {
		return nil, n.checkCanBeSole()
	}
	for _, m := range nodes {
		if m.ID == keeper.ID {
			continue
		}
		if err := n.removeMember(ctx, m.ID, reason); err != nil {
			return nil, err
		}
		if m.ID != n.cfg.NodeID {
			removed = append(removed, m.ID)
		}
	}
	if keeper.ID == n.cfg.NodeID {
		return removed, nil
	}
	if err := n.joinItself(ctx, reason); err != nil {
		return nil, err
	}
	return append(removed, keeper.ID), n.removeMember(ctx, keeper.ID, reason)
}

func (n *node) removeMember(ctx context.Context, id, reason string) error {
	err := n.commit(ctx, &fsmpb.Command{
		Actor: offlineOperator(), Reason: reason,
		Body: &fsmpb.Command_NodeRemove{NodeRemove: &fsmpb.NodeRemove{NodeId: id}},
	})
	if err != nil {
		return fmt.Errorf("remove node %s from the state: %w", id, err)
	}
	return nil
}

// joinItself makes this node a member as any other becomes one, by a token.
func (n *node) joinItself(ctx context.Context, reason string) error {
	level, err := n.featureLevel()
	if err != nil {
		return err
	}
	supported := uint32(0)
	if level > 1 { // the field is not part of level 1
		supported = registry.MaxFeatureLevel
	}
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the process instead
	sum := sha256.Sum256(secret)
	err = n.commit(ctx, &fsmpb.Command{
		Actor: offlineOperator(), Reason: reason,
		Body: &fsmpb.Command_JoinTokenCreate{JoinTokenCreate: &fsmpb.JoinTokenCreate{
			TokenSha256: sum[:], Role: uint32(registry.RoleVoter), LifetimeSeconds: ownTokenSeconds,
		}},
	})
	if err == nil {
		err = n.commit(ctx, &fsmpb.Command{
			Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: n.cfg.NodeID}, Reason: reason,
			Body: &fsmpb.Command_NodeJoin{NodeJoin: &fsmpb.NodeJoin{
				TokenSha256: sum[:],
				Node:        &fsmpb.Node{Id: n.cfg.NodeID, RaftAddress: n.cfg.advertisedRaft(), GrpcAddress: n.cfg.advertisedGRPC(), MaxFeatureLevel: supported},
			}},
		})
	}
	if err != nil {
		return fmt.Errorf("make node %s a member: %w", n.cfg.NodeID, err)
	}
	return nil
}

func (n *node) featureLevel() (level uint32, err error) {
	err = n.store.View(func(tx *store.ReadTx) error {
		level = tx.FeatureLevel()
		return nil
	})
	return level, err
}

// offlineOperator is whoever has the node's data folder in hand: there is no certificate to
// take a name from.
func offlineOperator() *fsmpb.Actor {
	return &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "offline"}
}

func (n *node) commit(ctx context.Context, command *fsmpb.Command) error {
	result, err := n.raft.Propose(ctx, command)
	if err != nil {
		return err
	}
	return cluster.ResultError(result)
}
