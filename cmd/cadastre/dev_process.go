package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cadastre/internal/devcluster"
	"cadastre/internal/pause"
)

const (
	// devStopTimeout is how long a node of a dev cluster may take to stop before it is killed.
	devStopTimeout = 30 * time.Second
	// devOrphanTimeout is how long a node that a killed `cadastre dev` left may take to stop.
	devOrphanTimeout = 15 * time.Second
	// devLogTailBytes is how much of a log is searched for the reason of an early end.
	devLogTailBytes = 4096
)

// starter starts processes from one operating-system thread that lives as long as the
// starter: the kernel ends a child when the thread that started it ends, not its process.
type starter struct{ requests chan func() }

func newStarter() *starter {
	s := &starter{requests: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for request := range s.requests {
			request()
		}
	}()
	return s
}

func (s *starter) start(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	s.requests <- func() { done <- cmd.Start() }
	return <-done
}

// close ends the thread; no child may be running any more.
func (s *starter) close() { close(s.requests) }

// devProcess is a running `cadastre server`.
type devProcess struct {
	cmd *exec.Cmd
	// ended is closed when the process has; err says how.
	ended chan struct{}
	err   error
}

// startServer starts a node's server with its log appended to a file.
func (s *starter) startServer(executable, config, logPath, pidPath string) (*devProcess, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = log.Close() }() // the child has its own
	cmd := exec.Command(executable, "server", "--config", config)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttributes()
	if err := s.start(cmd); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	p := &devProcess{cmd: cmd, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	if err := os.WriteFile(pidPath, []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("note the process id: %w", err), p.stop())
	}
	return p, nil
}

func (p *devProcess) pid() int { return p.cmd.Process.Pid }

func (p *devProcess) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop ends the process politely, and forcibly if it does not end in time.
func (p *devProcess) stop() error {
	if !p.running() {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended just now
	select {
	case <-p.ended:
		return nil
	case <-time.After(devStopTimeout):
		_ = p.cmd.Process.Kill() // it may have ended just now
		<-p.ended
		return fmt.Errorf("process %d did not stop within %s and was killed", p.pid(), devStopTimeout)
	}
}

// kill ends the process as a crash would.
func (p *devProcess) kill() {
	_ = p.cmd.Process.Kill() // it may have ended just now
	<-p.ended
}

// endOrphan stops the server that an earlier, killed `cadastre dev` may have left running
// with the configuration.
func endOrphan(ctx context.Context, pidPath, config string) error {
	pid, ok := readPID(pidPath)
	if !ok || !isServerProcess(pid, config) {
		return nil // never started, or ended; the number may stand for anything now
	}
	_ = syscall.Kill(pid, syscall.SIGTERM) // it may have ended just now
	deadline := time.Now().Add(devOrphanTimeout)
	for isServerProcess(pid, config) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended just now
			deadline = deadline.Add(devOrphanTimeout)
		}
		if err := pause.For(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func readPID(path string) (pid int, ok bool) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(content)))
	return pid, err == nil && pid > 1
}

// lastLogLine returns the last line of a log, for messages about an early end.
func lastLogLine(path string) string {
	content, _ := devcluster.ReadTail(path, devLogTailBytes) // what there is
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return lines[len(lines)-1]
}

// lockFolder makes sure that one process at a time runs the cluster in dir.
func lockFolder(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, devLockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was locked
		return nil, fmt.Errorf("another `cadastre dev` runs the cluster in %s", dir)
	}
	return func() { _ = f.Close() }, nil // closing unlocks
}
