// Package nameserver runs name servers of other projects (NSD, Knot DNS, unbound) beside tests and benchmarks, and makes sure
// that what answers on a port is the server that was started there.
//
// Three things make that less simple than it looks. A port that is free for TCP may be taken for UDP. A question over UDP
// to a port that nobody has yet is now and then sent from that very port, so that the question comes back to its
// sender and looks like an empty answer. And the kernel's parent-death signal is sent when the thread that started a child
// ends, not its process.
package nameserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"cadastre/internal/pause"
)

const (
	// startAttempts is how often a server is started anew when somebody took its port first.
	startAttempts = 5
	// probeGap lies between two probes: short beside a start, and long enough not to take the processor from it.
	probeGap = 10 * time.Millisecond
	// stopTimeout is what a server gets to end politely.
	stopTimeout = 20 * time.Second
	// tailBytes is how much of a log goes into an error.
	tailBytes = 8000
)

// Config says what to run. In Text and Command the words PORT, DIR and IDENTITY are replaced.
type Config struct {
	Name    string   // of the server, in messages
	Command []string // program and arguments; the configuration file's path is appended if Text is not empty
	Text    string   // configuration file
	Dir     string   // an existing folder for the configuration, the log and the server's files
	// Ports is a reservation to use; nil lets each attempt to start have a port of its own.
	Ports *Ports
	// Ready says whether the server is in service: nil if it is. It is asked again and again until the context ends. If nil, the
	// server must answer id.server of class CHAOS with IDENTITY.
	Ready func(ctx context.Context, address string) error
}

// Process is a running server.
type Process struct {
	ports *Ports
	name  string
	log   string // path of its standard output and error
	cmd   *exec.Cmd
	ended chan struct{} // closed after err is set
	err   error
}

// Find returns the path of a program, also where a daemon's folder is not on the search path; empty if there is none.
func Find(program string) string {
	for _, candidate := range []string{program, "/usr/sbin/" + program, "/usr/local/sbin/" + program} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	return ""
}

// Start runs the server and returns when it is in service. If the context ends first, or the server does, the error holds
// the end of the server's log. Without a reservation it starts again, elsewhere, when its port was taken meanwhile.
func Start(ctx context.Context, c Config) (*Process, error) {
	for attempt := 1; ; attempt++ {
		p, err := startOnce(ctx, c)
		if err == nil || c.Ports != nil || attempt == startAttempts || !strings.Contains(strings.ToLower(err.Error()), "in use") {
			return p, err
		}
	}
}

func startOnce(ctx context.Context, c Config) (*Process, error) {
	ports := c.Ports
	if ports == nil {
		var err error
		if ports, err = Reserve(); err != nil {
			return nil, err
		}
	}
	identity := fmt.Sprintf("%s-%d-%d", c.Name, os.Getpid(), ports.Number())
	fill := strings.NewReplacer("PORT", fmt.Sprint(ports.Number()), "DIR", c.Dir, "IDENTITY", identity)
	p := &Process{ports: ports, name: c.Name, log: filepath.Join(c.Dir, c.Name+".log"), ended: make(chan struct{})}
	args := make([]string, len(c.Command))
	for i, arg := range c.Command {
		args[i] = fill.Replace(arg)
	}
	if c.Text != "" {
		file := filepath.Join(c.Dir, c.Name+".conf")
		if err := os.WriteFile(file, []byte(fill.Replace(c.Text)), 0o600); err != nil {
			return nil, errors.Join(fmt.Errorf("configure %s: %w", c.Name, err), ports.Release())
		}
		args = append(args, file)
	}
	if err := p.run(args); err != nil {
		return nil, err
	}
	ready := c.Ready
	if ready == nil {
		ready = func(ctx context.Context, address string) error { return askIdentity(ctx, address, identity) }
	}
	if err := p.await(ctx, ready); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// run starts the process from a thread that waits for its end, so that the thread does not end before.
func (p *Process) run(args []string) error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return errors.Join(fmt.Errorf("open the log of %s: %w", p.name, err), p.ports.Release())
	}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = childAttributes()
	if err := p.ports.Release(); err != nil {
		return errors.Join(fmt.Errorf("release the port of %s: %w", p.name, err), log.Close())
	}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer func() { _ = log.Close() }() // the child has its own
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	return nil
}

func (p *Process) await(ctx context.Context, ready func(ctx context.Context, address string) error) error {
	for {
		err := ready(ctx, p.Address())
		if failure := p.Failure(); failure != nil {
			return failure
		}
		if err == nil {
			return nil
		}
		if pause.For(ctx, probeGap) != nil {
			return fmt.Errorf("%s on %s is not in service: %w\n%s", p.name, p.Address(), err, p.Log())
		}
	}
}

// Address is where the server listens, host and port.
func (p *Process) Address() string { return p.ports.Address() }

// Port is where the server listens, on 127.0.0.1.
func (p *Process) Port() int { return p.ports.Number() }

// PID is the number of the process; of its children nothing is known here.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Failure is nil while the process runs; after it ended by itself, how, with the end of its log.
func (p *Process) Failure() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s on %s has ended: %v\n%s", p.name, p.Address(), p.cmd.ProcessState, p.Log())
	default:
		return nil
	}
}

// Log is the end of what the server wrote to its standard output and error.
func (p *Process) Log() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(bytes.ToValidUTF8(content[max(0, len(content)-tailBytes):], []byte("?")))
}

// Stop ends the server and its children, politely if it can be.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
	}
	p.Kill()
}

// Kill ends the server and its children at once, and returns when they are gone and with them their sockets.
func (p *Process) Kill() {
	group := -p.cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGKILL) // all may have ended
	<-p.ended
	for deadline := time.Now().Add(stopTimeout); syscall.Kill(group, 0) == nil && time.Now().Before(deadline); {
		_ = pause.For(context.Background(), probeGap)
	}
}
