package raftnode

import (
	"fmt"
	"sync/atomic"

	"cadastre/fsm/fsmpb"
)

const (
	// maxAppliedLagEntries is how far the state may be behind the log before a leader takes
	// no more commands: at a thousand entries a second it is five seconds, past which their
	// callers are about to give up anyway.
	maxAppliedLagEntries = 5000
	// systemLagFactor times as much is left to the cluster's own commands.
	systemLagFactor = 4
)

// RefusalReason says why a leader took no new command.
type RefusalReason string

// The reasons.
const (
	RefusedAppliedLag RefusalReason = "applied_lag"
	RefusedDiskLow    RefusalReason = "disk_low"
)

// admission decides whether a leader takes a new command. A refusal means that nothing was
// done and that the command may be sent again, though hardly at once: what it is for lasts.
type admission struct {
	disk    *diskSpace
	maxLag  uint64
	applied func() uint64

	lagged, diskLow atomic.Uint64 // refusals
}

// admit returns an error of registry.CodeOverloaded if the command must wait for better
// times. The commands of the cluster itself are few and go on for longer: without them time
// stands still, and a node with a full disk cannot be removed.
func (a *admission) admit(command *fsmpb.Command, committed uint64) error {
	system := isSystemCommand(command)
	bound, refuseAt := a.maxLag, diskLow
	if system {
		bound, refuseAt = bound*systemLagFactor, diskCritical
	}
	if applied := a.applied(); committed > applied && committed-applied > bound {
		a.lagged.Add(1)
		return overloaded(fmt.Sprintf("the leader's state is %d entries behind its log; nothing was done, try again later", committed-applied))
	}
	if diskLevel(a.disk.level.Load()) >= refuseAt {
		a.diskLow.Add(1)
		return overloaded("the leader's disk is almost full; nothing was done, try again later")
	}
	return nil
}

// isSystemCommand says whether the cluster needs the command to keep going.
func isSystemCommand(command *fsmpb.Command) bool {
	switch command.GetBody().(type) {
	case *fsmpb.Command_Tick, *fsmpb.Command_ZonePublish, *fsmpb.Command_NodeRemove:
		return true
	default:
		return false
	}
}

// Refusals returns how many commands this node has turned away as a leader, by reason.
func (n *Node) Refusals() map[RefusalReason]uint64 {
	return map[RefusalReason]uint64{
		RefusedAppliedLag: n.admission.lagged.Load(),
		RefusedDiskLow:    n.admission.diskLow.Load(),
	}
}
