package raftnode

import (
	"sync/atomic"

	"cadastre/internal/histogram"
)

// nodeStats is what a node counts while it runs.
type nodeStats struct {
	commit, apply, appendLog    *histogram.Histogram // seconds
	commandsPerEntry, applySize *histogram.Histogram
	snapshots                   atomic.Uint64
	installsSent                atomic.Uint64
	comparedIndex               atomic.Uint64
}

func newNodeStats() *nodeStats {
	return &nodeStats{commit: histogram.NewSeconds(), apply: histogram.NewSeconds(), appendLog: histogram.NewSeconds(), commandsPerEntry: histogram.NewSizes(), applySize: histogram.NewSizes()}
}

// Stats is what a node has counted since it was started.
type Stats struct {
	// CommitSeconds is, on the leader, the time from handing an entry to raft until it is
	// committed and applied; ApplySeconds the time of applying a batch of entries;
	// AppendSeconds the time of making entries durable in the log.
	CommitSeconds, ApplySeconds, AppendSeconds histogram.Snapshot
	// CommandsPerEntry is what the leader has packed into an entry, EntriesPerApply how many
	// entries were applied in one transaction.
	CommandsPerEntry, EntriesPerApply histogram.Snapshot
	// Snapshots counts flushes of the state that let the log be truncated, InstallsSent
	// whole states that went to a peer that was behind the log.
	Snapshots, InstallsSent uint64
	// HashComparedIndex is the latest index at which this node's state hash was found equal to
	// the leader's, 0 if none was since the start.
	HashComparedIndex uint64
}

// Stats returns what was counted so far.
func (n *Node) Stats() Stats {
	s := n.stats
	return Stats{
		CommitSeconds: s.commit.Snapshot(), ApplySeconds: s.apply.Snapshot(), AppendSeconds: s.appendLog.Snapshot(),
		CommandsPerEntry: s.commandsPerEntry.Snapshot(), EntriesPerApply: s.applySize.Snapshot(),
		Snapshots: s.snapshots.Load(), InstallsSent: s.installsSent.Load(),
		HashComparedIndex: s.comparedIndex.Load(),
	}
}
