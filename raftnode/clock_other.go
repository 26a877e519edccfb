//go:build !linux

package raftnode

import "time"

// sinceBoot is the time since the node was started.
func sinceBoot(started time.Time) time.Duration { return time.Since(started) }
