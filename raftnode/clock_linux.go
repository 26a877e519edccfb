package raftnode

import (
	"time"

	"golang.org/x/sys/unix"
)

// sinceBoot is the time since the machine was booted, with the time that it slept;
// only differences count.
func sinceBoot(started time.Time) time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return time.Since(started) // a kernel without that clock
	}
	return time.Duration(now.Nano())
}
