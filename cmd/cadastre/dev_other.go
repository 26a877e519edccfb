//go:build unix && !linux

package main

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// childAttributes keeps Ctrl-C from reaching the nodes directly, so that they are stopped in
// order. Only Linux can stop them when `cadastre dev` is killed; elsewhere the next run does.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// isServerProcess says whether the process is a server with the configuration.
func isServerProcess(pid int, config string) bool {
	out, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "server") && strings.Contains(string(out), config)
}
