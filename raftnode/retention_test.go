package raftnode

import (
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

func TestLogSizes(t *testing.T) {
	var s logSizes
	put := func(from, to uint64, bytes int) {
		for i := from; i <= to; i++ {
			s.put(i, bytes-entryOverheadBytes)
		}
	}
	check := func(what string, first, count, total uint64) {
		t.Helper()
		if s.first != first || uint64(len(s.sizes)) != count || s.total != total {
			t.Errorf("%s: from %d, %d entries, %d octets; want %d, %d, %d", what, s.first, len(s.sizes), s.total, first, count, total)
		}
	}
	put(5, 14, 1000)
	check("ten entries", 5, 10, 10_000)
	if got := s.newestWithin(3500); got != 3 {
		t.Errorf("%d entries within 3500 octets", got)
	}
	if got := s.newestWithin(1 << 40); got != 10 {
		t.Errorf("%d entries within a terabyte", got)
	}
	put(10, 11, 2000)
	check("a replaced suffix", 5, 7, 9000)
	s.drop(1, 6)
	check("a dropped prefix", 7, 5, 7000)
	s.drop(11, 20)
	check("a dropped suffix", 7, 4, 5000)
	s.drop(30, 40)
	check("nothing to drop", 7, 4, 5000)
	put(100, 100, 1000)
	check("a gap", 100, 1, 1000)
	s.drop(1, 1000)
	if s.total != 0 || len(s.sizes) != 0 {
		t.Errorf("after all was dropped: %d entries, %d octets", len(s.sizes), s.total)
	}
}

func TestLogIsBoundedByOctets(t *testing.T) {
	const bound = 64 << 10
	c := newCluster(t, func(cfg *Config) { cfg.RetainBytes = bound })
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	c.register(0, 600)
	eventually(t, "the cut", func() error {
		status, err := n.node.Log()
		if err != nil {
			return err
		}
		return errUnless(status.FirstIndex > 1 && status.EntryBytes <= bound, "not yet")
	})
	status, err := n.node.Log()
	if err != nil {
		t.Fatal(err)
	}
	if status.LastIndex < 600 || status.FileBytes == 0 || time.Since(status.OldestAt) > time.Hour {
		t.Errorf("status %+v", status)
	}
	if kept := status.LastIndex - status.FirstIndex; kept < 100 {
		t.Errorf("only %d entries were kept", kept)
	}
	// Afterwards raft has its usual retention, and the log counts right after a restart.
	r := n.node.raft.Load()
	eventually(t, "the usual retention", func() error {
		return errUnless(r.ReloadableConfig().TrailingLogs == defaultTrailingEntries, "not yet")
	})
	before := n.node.log.sizes.bytes()
	if err := n.stop(t); err != nil {
		t.Fatal(err)
	}
	n.open(t)
	if after := n.node.log.sizes.bytes(); after < before || after > before+4096 {
		t.Errorf("the log counts %d octets before and %d after a restart", before, after)
	}
	n.run(t)
	c.leader().propose(t, registrarCreate(1000))
	var entry raft.Log
	if err := n.node.log.GetLog(status.FirstIndex, &entry); err != nil || len(entry.Extensions) != 0 {
		t.Errorf("entry %d: %v, extensions %x", status.FirstIndex, err, entry.Extensions)
	}
}
