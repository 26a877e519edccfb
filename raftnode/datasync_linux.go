package raftnode

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes what was written to the file durable, and of its metadata what is needed to
// read it.
func syncData(file *os.File) error {
	for {
		err := unix.Fdatasync(int(file.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
