package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"cadastre/internal/devcluster"
	"cadastre/internal/pause"
)

const (
	pollInterval = 50 * time.Millisecond
	// readyTimeout bounds the start of a node, on a machine that has other things to do.
	readyTimeout = 2 * time.Minute
	// stopTimeout bounds an orderly end of a node.
	stopTimeout = 60 * time.Second
)

// Config says what to run.
type Config struct {
	// Binary is the program, Dir an empty folder for everything.
	Binary, Dir      string
	Voters, Replicas int
	// DiskBytes gives each node's data a file system of its own of this size; 0 does not.
	DiskBytes int64
}

// Cluster is a running cluster. Its methods are for one goroutine.
type Cluster struct {
	cfg   Config
	net   *network
	info  *devcluster.Info
	nodes map[string]*process
	cuts  map[[2]string]bool
}

// process is one node.
type process struct {
	disk  *disk
	start []string // the command line
	log   string

	mu      sync.Mutex
	command *exec.Cmd
	ended   <-chan struct{} // closed when the process has ended
}

// Start makes a cluster and returns it when every node is ready. Errors that match
// ErrNoMeans mean that the machine lacks something.
func Start(ctx context.Context, cfg Config) (_ *Cluster, err error) {
	c := &Cluster{cfg: cfg, nodes: make(map[string]*process), cuts: make(map[[2]string]bool)}
	if c.net, err = newNetwork(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%w\n%s", err, c.Logs()), c.Close())
		}
	}()
	if err := c.makeFiles(ctx); err != nil {
		return nil, err
	}
	if err := c.makeCluster(ctx); err != nil {
		return nil, err
	}
	for _, n := range c.info.Nodes {
		if err := c.WaitReady(ctx, n.ID); err != nil {
			return nil, err
		}
	}
	return c, c.waitVotes(ctx)
}

// Dir returns the cluster's folder, in which the program finds it by --dev.
func (c *Cluster) Dir() string { return c.cfg.Dir }

// Info says where everything is.
func (c *Cluster) Info() *devcluster.Info { return c.info }

// Run runs the program with the arguments and returns its standard output; an exit status
// other than 0 is an error.
func (c *Cluster) Run(ctx context.Context, args ...string) (string, error) {
	r, err := devcluster.Run(ctx, c.cfg.Binary, args...)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("cadastre %q: exit status %d: %s%s", args, r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout, err
}

// writeInfo lets the command line find the cluster.
func (c *Cluster) writeInfo() error {
	content, err := json.MarshalIndent(c.info, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.cfg.Dir, devcluster.InfoFile), content, 0o600)
}

// StartNode starts a node's process and does not wait.
func (c *Cluster) StartNode(id string) error {
	p := c.nodes[id]
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own
	command := exec.Command(p.start[0], p.start[1:]...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ended, err := startKept(command)
	if err != nil {
		return fmt.Errorf("start node %s: %w", id, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.command, p.ended = command, ended
	return nil
}

// startKept starts a command from a thread that stays until the command has ended, since the kernel sends the parent-death signal
// when the thread that started a child ends, not its process. How the command ended can be seen when the channel is closed.
func startKept(command *exec.Cmd) (ended <-chan struct{}, err error) {
	started, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait() // its state has it
		}
	}()
	return done, <-started
}

// Ended returns a channel that is closed when the node's present process has ended.
func (c *Cluster) Ended(id string) <-chan struct{} {
	p := c.nodes[id]
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// IsDown says whether the node's process has ended.
func (c *Cluster) IsDown(id string) bool {
	select {
	case <-c.Ended(id):
		return true
	default:
		return false
	}
}

// Signal sends the node's process a signal: SIGKILL, SIGSTOP, SIGCONT, SIGTERM.
func (c *Cluster) Signal(id string, signal syscall.Signal) error {
	p := c.nodes[id]
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send node %s %v: %w", id, signal, err)
	}
	return nil
}

// Kill ends the node's process with SIGKILL and waits for its end.
func (c *Cluster) Kill(id string) error {
	if err := c.Signal(id, syscall.SIGKILL); err != nil {
		return err
	}
	return c.AwaitEnd(id, stopTimeout)
}

// AwaitEnd waits until the node's process has ended.
func (c *Cluster) AwaitEnd(id string, within time.Duration) error {
	select {
	case <-c.Ended(id):
		return nil
	case <-time.After(within):
		return fmt.Errorf("the process of node %s is still there after %s", id, within)
	}
}

// Cut makes everything that one node sends the other disappear, until Heal.
func (c *Cluster) Cut(from, to string) error {
	c.cuts[[2]string{from, to}] = true
	return c.net.cut(from, to)
}

// CutBoth cuts both directions between one node and each of the others.
func (c *Cluster) CutBoth(id string, others ...string) error {
	var errs []error
	for _, other := range others {
		errs = append(errs, c.Cut(id, other), c.Cut(other, id))
	}
	return errors.Join(errs...)
}

// Heal mends every link.
func (c *Cluster) Heal() error {
	var errs []error
	for link := range c.cuts {
		errs = append(errs, c.net.mend(link[0], link[1]))
	}
	clear(c.cuts)
	return errors.Join(errs...)
}

// Freeze makes every write of the node's data hang until Thaw.
func (c *Cluster) Freeze(id string) error { return c.nodes[id].disk.freeze() }

// Thaw ends a freeze, also of a node that is not frozen.
func (c *Cluster) Thaw(id string) error { return c.nodes[id].disk.thaw() }

// BreakDisk makes writes of new blocks fail until MendDisk.
func (c *Cluster) BreakDisk(id string) error { return c.nodes[id].disk.exhaust() }

// MendDisk ends what BreakDisk began.
func (c *Cluster) MendDisk(id string) error { return c.nodes[id].disk.replenish() }

// RenewDisk replaces the disk of a node that has ended by an empty one.
func (c *Cluster) RenewDisk(id string) (err error) {
	p := c.nodes[id]
	if err := p.disk.close(); err != nil {
		return err
	}
	if err := os.RemoveAll(p.disk.backing); err != nil {
		return err
	}
	p.disk, err = newDisk(p.disk.mount, c.cfg.DiskBytes)
	return err
}

// Rebuild does with a node that has ended what the operators' manual says of a broken one: it
// is removed, gets an empty disk, and joins again through the peer.
func (c *Cluster) Rebuild(ctx context.Context, id, peer string) error {
	if _, err := c.Run(ctx, "cluster", "remove", id, "--dev", c.cfg.Dir, "--node", peer); err != nil {
		return err
	}
	if err := c.RenewDisk(id); err != nil {
		return err
	}
	return c.Join(ctx, id, peer)
}

// Others returns the other nodes that vote or, with replicas, all other nodes.
func (c *Cluster) Others(id string, replicas bool) (others []string) {
	for _, n := range c.info.Nodes {
		if n.ID != id && (replicas || n.Role == "voter") {
			others = append(others, n.ID)
		}
	}
	return others
}

// Close ends every process and removes networks and disks.
func (c *Cluster) Close() error {
	var errs []error
	for id, p := range c.nodes {
		if p.disk != nil {
			errs = append(errs, p.disk.thaw()) // a process in a hanging write cannot be ended
		}
		if p.command != nil {
			errs = append(errs, c.Kill(id))
		}
	}
	for _, p := range c.nodes {
		if p.disk != nil {
			errs = append(errs, p.disk.close())
		}
	}
	return errors.Join(append(errs, c.net.close())...)
}

// Logs returns the ends of the nodes' logs.
func (c *Cluster) Logs() string {
	const tailOctets = 3000
	var text strings.Builder
	for id, p := range c.nodes {
		content, err := devcluster.ReadTail(p.log, tailOctets)
		if err == nil {
			fmt.Fprintf(&text, "== %s\n%s\n", id, content)
		}
	}
	return text.String()
}

// PresentLog returns what the node has logged since it was last started.
func (c *Cluster) PresentLog(id string) string {
	content, _ := os.ReadFile(c.nodes[id].log) // what there is
	return string(content[max(0, bytes.LastIndex(content, []byte("node started"))):])
}

// eventually tries until try succeeds, and returns its last error after the timeout.
func eventually(ctx context.Context, timeout time.Duration, what string, try func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if pause.For(ctx, pollInterval) != nil {
			return fmt.Errorf("%s: not within %s: %w", what, timeout, err)
		}
	}
}
