package nameserver

import "syscall"

// childAttributes gives the server a process group of its own, and has the kernel end it if its starter is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
