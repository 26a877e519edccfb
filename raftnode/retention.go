package raftnode

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// defaultRetainBytes bounds the log by octets where many large entries are within
	// TrailingEntries.
	defaultRetainBytes = 1 << 30
	// A log above its bound is cut to this part of it, so that cuts are rare.
	retainNumerator, retainDenominator = 3, 4
	// sampleInterval is how often the disk's space and the log's size are looked at.
	sampleInterval = time.Second
)

// sampleDisk follows the free space until the node stops.
func (n *Node) sampleDisk() {
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	for {
		select {
		case <-n.stopping:
			return
		case <-ticker.C:
			n.disk.sample()
		}
	}
}

// boundLog cuts the log whenever it has grown beyond RetainBytes. raft itself knows a bound
// in entries only, and cuts when it makes its snapshot.
func (n *Node) boundLog(r *raft.Raft) {
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	for {
		select {
		case <-n.stopping:
			return
		case <-ticker.C:
		}
		if n.log.sizes.bytes() > n.cfg.RetainBytes {
			n.cutLog(r)
		}
		// Grows with the log while that is held.
		n.setTrailing(r, n.cfg.TrailingEntries)
		if err := n.holder.expire(false); err != nil {
			n.cfg.Logger.Warn("an old checkpoint could not be removed", "error", err)
		}
	}
}

func (n *Node) cutLog(r *raft.Raft) {
	keep := n.log.sizes.newestWithin(n.cfg.RetainBytes / retainDenominator * retainNumerator)
	if n.setTrailing(r, max(1, min(keep, n.cfg.TrailingEntries))) && n.logIsWithin(r.ReloadableConfig().TrailingLogs) {
		return // there is nothing to cut while it is held
	}
	err := r.Snapshot().Error()
	switch {
	case err == nil, errors.Is(err, raft.ErrNothingNewToSnapshot), errors.Is(err, raft.ErrRaftShutdown):
	default: // tried again at the next look
		n.cfg.Logger.Warn("the log is above its bound and could not be cut yet", "bytes", n.log.sizes.bytes(), "error", err)
	}
}

// setTrailing has raft's next truncation leave so many entries, or as many more as are held,
// and says whether they are more.
func (n *Node) setTrailing(r *raft.Raft, wished uint64) (held bool) {
	n.settingsMu.Lock()
	defer n.settingsMu.Unlock()
	settings := r.ReloadableConfig()
	entries := n.trailing(wished)
	if settings.TrailingLogs == entries {
		return entries > wished
	}
	settings.TrailingLogs = entries
	if err := r.ReloadConfig(settings); err != nil {
		n.cfg.Logger.Warn("the retention of the log could not be set", "error", err)
	}
	return entries > wished
}

// logIsWithin says whether the log has no more entries.
func (n *Node) logIsWithin(entries uint64) bool {
	first, err := n.log.FirstIndex()
	if err != nil || first == 0 {
		return false
	}
	last, err := n.log.LastIndex()
	return err == nil && last-first < entries
}

// LogStatus is how the log stands.
type LogStatus struct {
	// FirstIndex and LastIndex are 0 if the log is empty.
	FirstIndex, LastIndex uint64
	// EntryBytes is what the entries take, FileBytes the files.
	EntryBytes, FileBytes uint64
	// OldestAt is when the leader of then appended the first entry; zero if not known.
	OldestAt time.Time
}

// Log returns how the log stands.
func (n *Node) Log() (LogStatus, error) {
	if _, err := n.running(); err != nil {
		return LogStatus{}, err
	}
	s := LogStatus{EntryBytes: n.log.sizes.bytes()}
	var err error
	if s.FirstIndex, err = n.log.FirstIndex(); err != nil {
		return s, fmt.Errorf("read the log's first index: %w", err)
	}
	if s.LastIndex, err = n.log.LastIndex(); err != nil {
		return s, fmt.Errorf("read the log's last index: %w", err)
	}
	if s.FileBytes, err = n.log.entries.bytes(); err != nil {
		return s, err
	}
	var oldest raft.Log
	// It may be cut off between the two reads.
	if s.FirstIndex > 0 && n.log.entries.read(s.FirstIndex, &oldest) == nil {
		s.OldestAt = oldest.AppendedAt
	}
	return s, nil
}
