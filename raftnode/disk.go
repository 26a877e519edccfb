package raftnode

import (
	"fmt"
	"log/slog"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const (
	// defaultLowWaterBytes is the free space below which a leader takes no new commands; a
	// small file system has a twentieth of its size instead. What is left serves entries
	// under way, compactions, and the operator who comes to look.
	defaultLowWaterBytes = 512 << 20
	// defaultLowWaterPart is that part, as a divisor.
	defaultLowWaterPart = 20
	// minLowWaterBytes is below what the log and the state each allocate at once.
	minLowWaterBytes = 64 << 20
	// highWaterNumerator over highWaterDenominator times the low-water mark must be free
	// before commands are taken again, so that a node at the mark does not waver.
	highWaterNumerator, highWaterDenominator = 5, 4
	// criticalPart of the low-water mark is left to the cluster's own commands: time goes
	// on, and nodes can be removed, when registrars are already turned away.
	criticalPart = 4
)

// diskLevel says how much room the data folder's file system has.
type diskLevel int32

const (
	diskAmple    diskLevel = iota
	diskLow                // below the low-water mark, and not yet above the high one again
	diskCritical           // hardly anything is left
)

// diskSpace is the free space on the file system of the data folder, as of the latest
// sample.
type diskSpace struct {
	dir      string
	lowWater uint64 // octets; 0 takes the default for the size of the file system
	logger   *slog.Logger
	// measure returns the octets that may be used and those of the whole file system.
	measure func(dir string) (free, size uint64, err error)

	free  atomic.Uint64
	low   atomic.Uint64 // the mark in force
	level atomic.Int32
}

// DiskStatus is the room for a node's data.
type DiskStatus struct {
	FreeBytes     uint64
	LowWaterBytes uint64
	// IsLow says whether this node takes no new commands for want of space.
	IsLow bool
}

// Disk returns what the latest sample, of about a second ago, found.
func (n *Node) Disk() DiskStatus {
	d := n.disk
	return DiskStatus{FreeBytes: d.free.Load(), LowWaterBytes: d.low.Load(), IsLow: diskLevel(d.level.Load()) != diskAmple}
}

// FreeBytes returns the octets that may be used on the file system of the folder.
func FreeBytes(dir string) (uint64, error) {
	free, _, err := measureDisk(dir)
	return free, err
}

func measureDisk(dir string) (free, size uint64, err error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, 0, fmt.Errorf("measure the free space of %s: %w", dir, err)
	}
	block := uint64(fs.Bsize)
	return uint64(fs.Bavail) * block, fs.Blocks * block, nil //nolint:unconvert // Bavail is signed on some systems
}

// sample measures and reports a change of level. An unmeasurable file system changes
// nothing: that it cannot be asked says nothing about its room.
func (d *diskSpace) sample() {
	free, size, err := d.measure(d.dir)
	if err != nil {
		d.logger.Warn("the free space is not known", "error", err)
		return
	}
	mark := d.lowWater
	if mark == 0 {
		mark = max(minLowWaterBytes, min(defaultLowWaterBytes, size/defaultLowWaterPart))
	}
	d.free.Store(free)
	d.low.Store(mark)
	was := diskLevel(d.level.Load())
	now := nextDiskLevel(was, free, mark)
	if now == was {
		return
	}
	d.level.Store(int32(now))
	attrs := []any{"dir", d.dir, "free_bytes", free, "low_water_bytes", mark}
	switch now {
	case diskAmple:
		d.logger.Warn("there is free space again: commands are taken", attrs...)
	case diskLow:
		d.logger.Error("free space is low: this node takes no new commands as a leader", attrs...)
	case diskCritical:
		d.logger.Error("free space is nearly gone: this node takes no commands at all as a leader, and ends when a write fails", attrs...)
	}
}

func nextDiskLevel(was diskLevel, free, mark uint64) diskLevel {
	switch {
	case free < mark/criticalPart:
		return diskCritical
	case free < mark, was != diskAmple && free < mark/highWaterDenominator*highWaterNumerator:
		return diskLow
	default:
		return diskAmple
	}
}
