package main

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"cadastre/internal/histogram"
)

// raftDescs describes the numbers about the work of replication.
type raftDescs struct {
	commit, apply, appendLog, commandsPerEntry, entriesPerApply *prometheus.Desc
	snapshots, installsSent                                     *prometheus.Desc
	lag, hashMatch, hashCompared, clockStep                     *prometheus.Desc
	eppCommands, eppSeconds                                     *prometheus.Desc
}

func newRaftDescs(desc func(name, help string, labels ...string) *prometheus.Desc) *raftDescs {
	return &raftDescs{
		commit:           desc("raft_commit_seconds", "On the leader: time from handing an entry to Raft until it is committed and applied."),
		apply:            desc("raft_apply_seconds", "Time of applying a batch of committed entries to the state."),
		appendLog:        desc("raft_append_seconds", "Time of making entries durable in the log."),
		commandsPerEntry: desc("raft_entry_commands", "Commands that the leader has packed into an entry."),
		entriesPerApply:  desc("raft_apply_entries", "Entries applied in one transaction."),
		snapshots:        desc("raft_snapshots_total", "Flushes of the state that let the log be truncated."),
		installsSent:     desc("raft_installs_sent_total", "Whole states sent to nodes that were behind the log."),
		lag:              desc("applied_lag_entries", "Entries that are known to be committed and are not applied yet."),
		hashMatch:        desc("state_hash_match", "0 once this node's state hash was found to differ from the leader's, else 1."),
		hashCompared:     desc("state_hash_compared_index", "Latest index at which this node's state hash was found equal to the leader's, since it was started."),
		clockStep:        desc("clock_step_seconds", "By how much this machine's clock is ahead of the cluster's time, which is gone by while this node leads; 0 while it is right."),
		eppCommands:      desc("epp_commands_total", "EPP commands answered.", "verb", "code"),
		eppSeconds:       desc("epp_command_seconds", "Time from an EPP command's frame to its answer.", "verb"),
	}
}

func (d *raftDescs) collect(out chan<- prometheus.Metric, n *node) {
	counter := func(desc *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(desc *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v)
	}
	times := func(desc *prometheus.Desc, h histogram.Snapshot, labels ...string) {
		out <- prometheus.MustNewConstHistogram(desc, h.Count, h.Sum, h.Cumulative, labels...)
	}
	stats := n.raft.Stats()
	times(d.commit, stats.CommitSeconds)
	times(d.apply, stats.ApplySeconds)
	times(d.appendLog, stats.AppendSeconds)
	times(d.commandsPerEntry, stats.CommandsPerEntry)
	times(d.entriesPerApply, stats.EntriesPerApply)
	counter(d.snapshots, stats.Snapshots)
	counter(d.installsSent, stats.InstallsSent)
	gauge(d.hashMatch, boolValue(!n.fenced.Load()))
	gauge(d.clockStep, n.raft.ClockStep().Seconds())
	gauge(d.hashCompared, float64(stats.HashComparedIndex))
	if status, err := n.raft.Status(); err == nil {
		// raft's own entries are committed and never reach the state.
		gauge(d.lag, float64(max(status.CommitIndex, status.AppliedIndex)-status.AppliedIndex))
	}
	if n.epp == nil {
		return
	}
	for _, c := range n.epp.Stats().Commands {
		for code, answers := range c.Results {
			counter(d.eppCommands, answers, string(c.Verb), strconv.Itoa(code))
		}
		times(d.eppSeconds, c.Seconds, string(c.Verb))
	}
}
