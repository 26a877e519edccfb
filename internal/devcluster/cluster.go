// Package devcluster knows what a `cadastre dev` cluster looks like from outside (dev.json,
// ports) and drives one of real processes for tests and benchmarks: start, kill, bring
// back, stop.
package devcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	// startTimeout is far above the few seconds that a cluster takes, for a busy machine.
	startTimeout = 90 * time.Second
	stopTimeout  = 60 * time.Second
	// killTimeout bounds the time from a SIGKILL to the end of the process.
	killTimeout  = 10 * time.Second
	pollInterval = 20 * time.Millisecond
)

// Config says what to run.
type Config struct {
	// Binary is the program, Dir the cluster's folder. If Dir holds an earlier cluster,
	// that is resumed.
	Binary, Dir string
	// BasePort is where the blocks of ports begin, see FreeBasePort.
	BasePort int
	// Args are further arguments of `cadastre dev`.
	Args []string
}

// Cluster is a run of `cadastre dev`.
type Cluster struct {
	cfg     Config
	command *exec.Cmd
	output  lockedBuffer
	ended   chan struct{} // closed when the supervisor has ended
}

// Start runs `cadastre dev` and waits until the cluster is ready.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	c := &Cluster{cfg: cfg, ended: make(chan struct{})}
	if err := os.Remove(c.infoPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	args := append([]string{"dev", "--dir", cfg.Dir, "--base-port", strconv.Itoa(cfg.BasePort)}, cfg.Args...)
	c.command = exec.Command(cfg.Binary, args...) // it outlives ctx and is ended by Stop
	c.command.Stdout, c.command.Stderr = &c.output, &c.output
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("start cadastre dev: %w", err)
	}
	go func() {
		_ = c.command.Wait() // how it ended is in its output and in ExitCode
		close(c.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.waitReady(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, c.Logs()), c.Stop())
	}
	return c, nil
}

func (c *Cluster) infoPath() string { return filepath.Join(c.cfg.Dir, InfoFile) }

func (c *Cluster) waitReady(ctx context.Context) error {
	return poll(ctx, func() (bool, error) {
		select {
		case <-c.ended:
			return false, errors.New("cadastre dev ended before it was ready")
		default:
		}
		_, err := os.Stat(c.infoPath())
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return err == nil, nil
		}
		return false, err
	}, "cadastre dev did not become ready")
}

// poll waits until condition holds or returns an error.
func poll(ctx context.Context, condition func() (bool, error), complaint string) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if holds, err := condition(); holds || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", complaint, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// Dir returns the cluster's folder.
func (c *Cluster) Dir() string { return c.cfg.Dir }

// Info reads dev.json as it is now.
func (c *Cluster) Info() (*Info, error) { return ReadInfo(c.cfg.Dir) }

// Node returns the node with the id as dev.json has it now.
func (c *Cluster) Node(id string) (Node, error) {
	info, err := c.Info()
	if err != nil {
		return Node{}, err
	}
	return info.Node(id)
}

// KillNode ends the node's process with SIGKILL and waits until it is gone.
func (c *Cluster) KillNode(ctx context.Context, id string) error {
	n, err := c.Node(id)
	if err != nil {
		return err
	}
	if err := syscall.Kill(n.PID, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s, process %d: %w", id, n.PID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	return poll(ctx, func() (bool, error) {
		return errors.Is(syscall.Kill(n.PID, 0), syscall.ESRCH), nil
	}, fmt.Sprintf("%s, process %d, is still there", id, n.PID))
}

// StartNode brings a killed node back on its data.
func (c *Cluster) StartNode(ctx context.Context, id string) error {
	_, err := c.Run(ctx, "dev", "--dir", c.cfg.Dir, "--start", id)
	return err
}

// KillAll ends the supervisor and every node with SIGKILL, as a power failure would.
func (c *Cluster) KillAll() error {
	info, err := c.Info()
	errs := []error{err, c.signalDev(syscall.SIGKILL)} // first, so that it does not tell the nodes to stop
	if info != nil {
		for _, n := range info.Nodes {
			if err := syscall.Kill(n.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				errs = append(errs, fmt.Errorf("kill %s: %w", n.ID, err))
			}
		}
	}
	<-c.ended
	if info != nil {
		errs = append(errs, awaitEnd(info.Nodes))
	}
	return errors.Join(errs...)
}

// awaitEnd waits until the processes of killed nodes are gone, and with them their locks on the
// data folders.
func awaitEnd(nodes []Node) error {
	ctx, cancel := context.WithTimeout(context.Background(), killTimeout)
	defer cancel()
	for _, n := range nodes {
		err := poll(ctx, func() (bool, error) { return hasEnded(n.PID), nil }, fmt.Sprintf("%s, process %d, is still there", n.ID, n.PID))
		if err != nil {
			return err
		}
	}
	return nil
}

// hasEnded says whether a process is gone. Whoever takes over the children of a killed
// supervisor may be slow to collect them; what they had open is closed by then.
func hasEnded(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	state := stat[bytes.LastIndexByte(stat, ')')+1:] // the name before it may hold anything
	return bytes.HasPrefix(state, []byte(" Z")) || bytes.HasPrefix(state, []byte(" X"))
}

// KillDev ends only the supervisor with SIGKILL.
func (c *Cluster) KillDev() error {
	if err := c.signalDev(syscall.SIGKILL); err != nil {
		return err
	}
	<-c.ended
	return nil
}

// signalDev sends the supervisor a signal, unless it has ended.
func (c *Cluster) signalDev(signal syscall.Signal) error {
	if err := c.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal cadastre dev: %w", err)
	}
	return nil
}

// Stop ends the cluster in good order, as Ctrl-C does.
func (c *Cluster) Stop() error {
	if err := c.signalDev(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-c.ended:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("cadastre dev did not stop within %v", stopTimeout), c.KillAll())
	}
}

// ExitCode returns the exit status of the supervisor once it has ended, -1 before that or
// if a signal ended it.
func (c *Cluster) ExitCode() int {
	select {
	case <-c.ended:
		return c.command.ProcessState.ExitCode()
	default:
		return -1
	}
}

// Output returns what `cadastre dev` has printed so far.
func (c *Cluster) Output() string { return c.output.String() }

// Logs returns the supervisor's output and the ends of the nodes' logs, for a person who
// looks into a failure.
func (c *Cluster) Logs() string {
	const tailOctets = 4000
	text := fmt.Sprintf("== cadastre dev\n%s\n", c.Output())
	paths, err := filepath.Glob(filepath.Join(c.cfg.Dir, "n*", "log"))
	if err != nil {
		return text
	}
	for _, path := range paths {
		content, err := ReadTail(path, tailOctets)
		if err == nil {
			text += fmt.Sprintf("== %s\n%s\n", path, content)
		}
	}
	return text
}

// ReadTail returns the last octets of a file.
func ReadTail(path string, octets int64) (content []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, max(0, size-octets), octets))
}
