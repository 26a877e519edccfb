package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"syscall"
)

// childAttributes keeps Ctrl-C from reaching the nodes directly, so that they are stopped in
// order, and has the kernel stop them if `cadastre dev` is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// isServerProcess says whether the process is a server with the configuration.
func isServerProcess(pid int, config string) bool {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	args := bytes.Split(content, []byte{0})
	is := func(want string) bool {
		return slices.ContainsFunc(args, func(arg []byte) bool { return string(arg) == want })
	}
	return is("server") && is(config)
}
