package raftnode

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

// verify reads the whole log, so that a node with a damaged one never takes part, and
// learns the sizes of the entries. The log's bounds in entries and octets keep it short.
func (l *logStore) verify() error {
	first, last, err := l.bounds()
	if err != nil {
		return err
	}
	if first == 0 {
		return nil
	}
	for index := first; index <= last; index++ {
		var entry raft.Log
		err := l.entries.read(index, &entry)
		if errors.Is(err, raft.ErrLogNotFound) {
			err = logDamage(index, l.path, fmt.Errorf("%w: it is missing between its neighbours", errDamagedEntry))
		}
		if err != nil {
			return err
		}
		l.sizes.put(index, len(entry.Data)+len(entry.Extensions))
	}
	return nil
}

// bounds returns the first and last index.
func (l *logStore) bounds() (first, last uint64, err error) {
	first, last, err = l.entries.bounds()
	if err == nil && last-first > maxLogEntries {
		err = fmt.Errorf("read the bounds of the log %s: %w: an index is out of bounds", l.path, errDamagedEntry)
	}
	return first, last, err
}
