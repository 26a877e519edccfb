package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// lockDataDir makes sure that one process at a time runs a node on the data folder or
// rebuilds it, also where the parts with locks of their own are damaged or moved away. The
// lock is on the folder itself and ends with the process. A folder that is not there, or
// whose file system has no such locks, is not locked.
func lockDataDir(cfg *Config) (unlock func(), err error) {
	dir, err := os.Open(cfg.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		_ = dir.Close() // nothing was locked
		return nil, fmt.Errorf("the data folder %s is in use by node %s (is another server running on it?)", cfg.DataDir, cfg.NodeID)
	}
	return func() { _ = dir.Close() }, nil // closing unlocks
}
