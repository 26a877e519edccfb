package raftnode

import (
	"fmt"
	"sync/atomic"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// levelGate keeps commands out of the log that some member's program may not know yet.
type levelGate struct {
	store  *store.Store
	levels *fsm.Levels
	// open is set once the cluster is at the level of this program; levels never go down.
	open atomic.Bool
}

func newLevelGate(st *store.Store) (*levelGate, error) {
	levels, err := fsm.NewLevels()
	if err != nil {
		return nil, err
	}
	return &levelGate{store: st, levels: levels}, nil
}

func (g *levelGate) check(command *fsmpb.Command) error {
	if g.open.Load() {
		return nil
	}
	var level uint32
	err := g.store.View(func(tx *store.ReadTx) error {
		level = tx.FeatureLevel()
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the feature level: %w", err)
	}
	if level >= registry.MaxFeatureLevel {
		g.open.Store(true)
		return nil
	}
	return g.levels.CheckLevel(command, level)
}

// CheckLevel returns an error of registry.CodeFeatureLevel if the cluster is not at the
// feature level that the command needs. A node asks before it forwards a command: the leader
// may run an older program, which would not know.
func (n *Node) CheckLevel(command *fsmpb.Command) error { return n.levels.check(command) }
