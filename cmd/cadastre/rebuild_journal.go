package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// rebuildStep is how far a rebuild is. Each step is noted once what it stands for is done
// and durable, so that a rebuild that was cut off goes on behind it.
type rebuildStep string

const (
	// rebuildPlanned: nothing was changed yet, or the removal was begun.
	rebuildPlanned rebuildStep = "planned"
	// rebuildRemoved: the node is no member any more.
	rebuildRemoved rebuildStep = "removed"
	// rebuildInvited: there is a token with which it can join again.
	rebuildInvited rebuildStep = "invited"
	// rebuildAside: the damaged data is out of the way.
	rebuildAside rebuildStep = "set aside"
	// rebuildFetched: a new state is in its place, not yet read back.
	rebuildFetched rebuildStep = "fetched"
	// rebuildVerified: the new state is sound; what was set aside may go.
	rebuildVerified rebuildStep = "verified"
)

// rebuildJournal is what a rebuild remembers in the data folder. It holds a join token, so
// that it is readable to its owner only.
type rebuildJournal struct {
	Node string      `json:"node"`
	Role string      `json:"role"`
	Step rebuildStep `json:"step"`
	// Aside is the folder within the data folder for what is damaged.
	Aside string `json:"aside"`
	Token string `json:"token,omitempty"`
}

func (c *Config) rebuildFile() string { return filepath.Join(c.DataDir, "REBUILD") }

// readRebuild returns the journal of a rebuild under way, nil if there is none.
func readRebuild(cfg *Config) (*rebuildJournal, error) {
	content, err := os.ReadFile(cfg.rebuildFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	j := &rebuildJournal{}
	if err == nil {
		err = json.Unmarshal(content, j)
	}
	if err == nil && (j.Node != cfg.NodeID || j.Aside == "" || filepath.Base(j.Aside) != j.Aside) {
		err = fmt.Errorf("it is not of node %s", cfg.NodeID)
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal of a rebuild, %s: %w: to begin anew, delete it; what was set aside is in a folder damaged-… beside it",
			cfg.rebuildFile(), err)
	}
	return j, nil
}

// write replaces the journal so that after a crash either the old or the new one is there.
func (j *rebuildJournal) write(cfg *Config) error {
	content, err := json.Marshal(j)
	if err != nil {
		return err
	}
	next := cfg.rebuildFile() + ".next"
	if err := writeNote(next, string(content)); err != nil {
		return fmt.Errorf("note how far the rebuild is: %w", err)
	}
	if err := os.Rename(next, cfg.rebuildFile()); err != nil {
		return fmt.Errorf("note how far the rebuild is: %w", err)
	}
	return syncFolder(cfg.DataDir)
}

// refuseRebuilding returns an error if the data folder is in the midst of a rebuild. One
// that was planned and changed nothing yet is in nobody's way.
func refuseRebuilding(cfg *Config) error {
	j, err := readRebuild(cfg)
	if err != nil || j == nil || j.Step == rebuildPlanned {
		return err
	}
	return fmt.Errorf("node %s is being rebuilt (%s): finish it with `cadastre node rebuild`, which goes on where it was", cfg.NodeID, j.Step)
}
