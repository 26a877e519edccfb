package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cadastre/fsm"
)

// fencedFile is the note of a node whose state was found to be wrong.
func (c *Config) fencedFile() string { return filepath.Join(c.DataDir, "FENCED") }

// fatalError takes the first error after which the process must end at once. If it says
// that the state is wrong, a note in the data folder keeps the node from being started
// again: it would serve what the others deny.
func (n *node) fatalError(err error) {
	if halt, ok := errors.AsType[*fsm.Halt](err); ok && halt.Diverged {
		n.fence(halt)
	}
	select {
	case n.fatal <- err:
	default: // the first one counts
	}
}

func (n *node) fence(reason error) {
	n.fenced.Store(true)
	note := fmt.Sprintf("%s: %v\n", time.Now().UTC().Format(time.RFC3339), reason)
	if err := writeNote(n.cfg.fencedFile(), note); err != nil {
		n.logger.Error("could not note that the node is fenced", "error", err)
	}
	n.logger.Error("the node is fenced: it serves nothing and will not start again", "reason", reason, "note", n.cfg.fencedFile())
}

// refuseFenced returns an error if the data folder has the note.
func refuseFenced(cfg *Config) error {
	reason, err := os.ReadFile(cfg.fencedFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("node %s is fenced (%s). Rebuild it from its peers: `cadastre node rebuild`. To keep the state in %s against the evidence, delete %s",
		cfg.NodeID, firstNonEmpty(strings.TrimSpace(string(reason)), "the note cannot be read"), cfg.DataDir, cfg.fencedFile())
}

// refuseToSeed keeps a state that was found to be wrong from spreading.
func (n *node) refuseToSeed() error {
	if n.fenced.Load() {
		return errors.New("it is fenced")
	}
	return nil
}

// writeNote leaves a durable note for the next start.
func writeNote(path, note string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(note)
	return errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(path)))
}
