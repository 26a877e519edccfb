//go:build !linux

package nameserver

import "syscall"

// childAttributes gives the server a process group of its own.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
