package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cadastre/registry"
)

// storageDescs describes the numbers about the disk, the log and what is turned away.
type storageDescs struct {
	free, lowWater, isLow, refused                      *prometheus.Desc
	logFirst, logEntryBytes, logFileBytes, logOldestAge *prometheus.Desc
	level, levelSupported                               *prometheus.Desc
}

func newStorageDescs(desc func(name, help string, labels ...string) *prometheus.Desc) *storageDescs {
	return &storageDescs{
		free:          desc("disk_free_bytes", "Free space on the file system of the data folder."),
		lowWater:      desc("disk_low_water_bytes", "Free space below which this node takes no commands as a leader."),
		isLow:         desc("disk_low", "1 while this node takes no commands for want of space, else 0."),
		refused:       desc("proposals_refused_total", "Commands turned away by this node as a leader; nothing was done.", "reason"),
		logFirst:      desc("raft_first_log_index", "First index in this node's log."),
		logEntryBytes: desc("raft_log_entry_bytes", "What the entries of the log take."),
		logFileBytes:  desc("raft_log_file_bytes", "Size of the log's file, which never shrinks."),
		logOldestAge:  desc("raft_log_oldest_entry_seconds", "Age of the oldest entry in the log."),

		level:          desc("feature_level", "Feature level of the cluster, as this node's state has it."),
		levelSupported: desc("feature_level_supported", "Highest feature level that this node's program supports."),
	}
}

func (d *storageDescs) collect(out chan<- prometheus.Metric, n *node) {
	gauge := func(desc *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v)
	}
	disk := n.raft.Disk()
	gauge(d.free, float64(disk.FreeBytes))
	gauge(d.lowWater, float64(disk.LowWaterBytes))
	gauge(d.isLow, boolValue(disk.IsLow))
	for reason, count := range n.raft.Refusals() {
		out <- prometheus.MustNewConstMetric(d.refused, prometheus.CounterValue, float64(count), string(reason))
	}
	gauge(d.levelSupported, float64(registry.MaxFeatureLevel))
	if level, err := n.featureLevel(); err == nil {
		gauge(d.level, float64(level))
	}
	log, err := n.raft.Log()
	if err != nil {
		return // it is starting or stopping
	}
	gauge(d.logFirst, float64(log.FirstIndex))
	gauge(d.logEntryBytes, float64(log.EntryBytes))
	gauge(d.logFileBytes, float64(log.FileBytes))
	if !log.OldestAt.IsZero() {
		gauge(d.logOldestAge, time.Since(log.OldestAt).Seconds())
	}
}
