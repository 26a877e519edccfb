// Package faults runs clusters of real processes on a network and on disks that can be broken
// on purpose: every node has a network namespace of its own, whose links to the others can be
// cut in one direction or both, and on request a file system of its own, which can be frozen
// or run out of blocks. A careful registrar works meanwhile, and what it was promised is
// checked in the end. It needs Linux, root and the programs ip, nsenter and, for disks,
// mkfs.ext4, mount and fsfreeze; Start says what is missing with ErrNoMeans.
package faults

import "errors"

// ErrNoMeans is returned where the machine lacks what the faults need.
var ErrNoMeans = errors.New("this machine cannot inject the faults")
