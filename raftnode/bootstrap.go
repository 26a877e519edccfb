package raftnode

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

// HasState says whether a cluster was bootstrapped or joined with this node's data.
func (n *Node) HasState() (bool, error) {
	has, err := raft.HasExistingState(n.log, n.log, n.snapshots)
	if err != nil {
		return false, fmt.Errorf("look for existing state: %w", err)
	}
	return has, nil
}

// Bootstrap makes this node the first voter of a new cluster. It must be called before Run
// and is refused if there is any state.
func (n *Node) Bootstrap() error {
	if n.started.Load() {
		return errors.New("bootstrap: the node is running already")
	}
	has, err := n.HasState()
	if err != nil {
		return err
	}
	if has {
		return n.refuseBootstrap("there is state of a cluster")
	}
	configuration := raft.Configuration{Servers: []raft.Server{{
		Suffrage: raft.Voter, ID: raft.ServerID(n.cfg.NodeID), Address: raft.ServerAddress(n.Address()),
	}}}
	if err := raft.BootstrapCluster(n.cfg.raftConfig(n.bridge), n.log, n.log, n.snapshots, nil, configuration); err != nil {
		return fmt.Errorf("bootstrap of node %s: %w", n.cfg.NodeID, err)
	}
	return nil
}

// ResumeBootstrap completes a Bootstrap that may have been interrupted. It must be called
// before Run and is refused unless this node has been the only member of its cluster ever
// since. Commands may have been committed, which only the state can tell.
func (n *Node) ResumeBootstrap() error {
	if n.started.Load() {
		return errors.New("bootstrap: the node is running already")
	}
	first, err := n.log.FirstIndex()
	if err != nil {
		return fmt.Errorf("read the log's first index: %w", err)
	}
	last, err := n.log.LastIndex()
	if err != nil {
		return fmt.Errorf("read the log's last index: %w", err)
	}
	if last == 0 {
		return n.repeatBootstrap()
	}
	if first != 1 {
		return n.refuseBootstrap("the log no longer begins with it")
	}
	for index := first; index <= last; index++ {
		var entry raft.Log
		if err := n.log.GetLog(index, &entry); err != nil {
			return fmt.Errorf("read log entry %d: %w", index, err)
		}
		if entry.Type == raft.LogConfiguration && !n.isAloneIn(raft.DecodeConfiguration(entry.Data)) {
			return n.refuseBootstrap("the cluster has had other members")
		}
		if index == first && entry.Type != raft.LogConfiguration {
			return n.refuseBootstrap("the log does not begin with it")
		}
	}
	return nil
}

func (n *Node) isAloneIn(c raft.Configuration) bool {
	return len(c.Servers) == 1 && c.Servers[0].ID == raft.ServerID(n.cfg.NodeID) && c.Servers[0].Suffrage == raft.Voter
}

// repeatBootstrap does anew what was interrupted between raft's two writes: that of the
// first term, without which there is no state, and that of the first log entry.
func (n *Node) repeatBootstrap() error {
	// The names are those of raft's durable variables.
	term, voted := []byte("CurrentTerm"), []byte("LastVoteTerm")
	switch vote, err := n.log.GetUint64(voted); {
	case err == nil && vote > 0, n.applied.get() > 0:
		return n.refuseBootstrap("the node has taken part in a cluster")
	case err != nil && err.Error() != "not found": // the convention of raft
		return fmt.Errorf("read the last vote: %w", err)
	}
	if err := n.log.SetUint64(term, 0); err != nil {
		return fmt.Errorf("reset the term: %w", err)
	}
	return n.Bootstrap()
}

func (n *Node) refuseBootstrap(reason string) error {
	return fmt.Errorf("bootstrap of node %s is refused: %s in %s", n.cfg.NodeID, reason, n.cfg.Dir)
}
