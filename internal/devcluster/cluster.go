// Package devcluster drives a `cadastre dev` cluster of real processes for tests and
// benchmarks: start, kill, bring back, stop.
package devcluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
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
	stopTimeout  = 30 * time.Second
	pollInterval = 20 * time.Millisecond
	// portsPerNode and maxNodes say which ports a cluster takes from its base port on.
	portsPerNode = 100
	maxNodes     = 6
)

// Info is dev.json.
type Info struct {
	TLDs       []string    `json:"tlds"`
	CA         string      `json:"ca"`
	ClusterID  string      `json:"cluster_id"`
	Nodes      []Node      `json:"nodes"`
	Registrars []Registrar `json:"registrars"`
	Operator   Identity    `json:"operator"`
}

// Node is one node's processes and addresses.
type Node struct {
	ID      string `json:"id"`
	Role    string `json:"role"`
	PID     int    `json:"pid"`
	Data    string `json:"data"`
	Log     string `json:"log"`
	EPP     string `json:"epp"`
	DNS     string `json:"dns"`
	WHOIS   string `json:"whois"`
	Admin   string `json:"admin"`
	Metrics string `json:"metrics"`
}

// Identity is a certificate and its key, as paths.
type Identity struct {
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

// Registrar is a customer of the cluster.
type Registrar struct {
	ID       string `json:"id"`
	Password string `json:"password"`
	Identity
}

// Cluster is a running `cadastre dev`.
type Cluster struct {
	bin, dir string
	command  *exec.Cmd
	output   bytes.Buffer
	done     chan struct{} // closed when the supervisor has ended
}

// Start runs `bin dev --dir dir` with the arguments and waits until it is ready. dir may
// hold an earlier cluster, which is then resumed.
func Start(ctx context.Context, bin, dir string, args ...string) (*Cluster, error) {
	c := &Cluster{bin: bin, dir: dir, done: make(chan struct{})}
	if err := os.Remove(c.infoPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	c.command = exec.Command(bin, append([]string{"dev", "--dir", dir}, args...)...) //nolint:noctx // it outlives ctx and is ended by Stop
	c.command.Stdout, c.command.Stderr = &c.output, &c.output
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("start cadastre dev: %w", err)
	}
	go func() {
		_ = c.command.Wait() // how it ended is in its output
		close(c.done)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.waitReady(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) infoPath() string { return filepath.Join(c.dir, "dev.json") }

func (c *Cluster) waitReady(ctx context.Context) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if _, err := c.Info(); err == nil {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("cadastre dev ended before it was ready:\n%s", c.output.String())
		case <-ctx.Done():
			return fmt.Errorf("cadastre dev did not become ready: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

// Info reads dev.json as it is now.
func (c *Cluster) Info() (*Info, error) {
	data, err := os.ReadFile(c.infoPath())
	if err != nil {
		return nil, err
	}
	var info Info
	if err := json.Unmarshal(data, &info); err != nil {
		return nil, fmt.Errorf("parse dev.json: %w", err)
	}
	return &info, nil
}

// Node returns the node with the id as dev.json has it now.
func (c *Cluster) Node(id string) (Node, error) {
	info, err := c.Info()
	if err != nil {
		return Node{}, err
	}
	for _, n := range info.Nodes {
		if n.ID == id {
			return n, nil
		}
	}
	return Node{}, fmt.Errorf("dev.json has no node %s", id)
}

// Kill ends the node's process with SIGKILL.
func (c *Cluster) Kill(id string) error {
	n, err := c.Node(id)
	if err != nil {
		return err
	}
	return syscall.Kill(n.PID, syscall.SIGKILL)
}

// StartNode brings a killed node back on its data.
func (c *Cluster) StartNode(ctx context.Context, id string) error {
	_, err := c.Run(ctx, "dev", "--dir", c.dir, "--start", id)
	return err
}

// Run runs the program with the arguments and returns its standard output.
func (c *Cluster) Run(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, c.bin, args...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("cadastre %v: %w: %s", args, err, stderr.String())
	}
	return stdout.String(), nil
}

// KillAll ends the supervisor and every node with SIGKILL, as a power failure would.
func (c *Cluster) KillAll() error {
	info, err := c.Info()
	if err != nil {
		return err
	}
	errs := []error{c.command.Process.Kill()}
	for _, n := range info.Nodes {
		if err := syscall.Kill(n.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, err)
		}
	}
	<-c.done
	return errors.Join(errs...)
}

// Stop ends the cluster in good order.
func (c *Cluster) Stop() error {
	select {
	case <-c.done:
		return nil
	default:
	}
	if err := c.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-c.done:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("cadastre dev did not stop within %v", stopTimeout), c.KillAll())
	}
}

// Dir returns the cluster's folder.
func (c *Cluster) Dir() string { return c.dir }

// WriteLogs copies the supervisor's output and the ends of the nodes' logs to w, for a
// person who looks into a failure.
func (c *Cluster) WriteLogs(w io.Writer) {
	const tailOctets = 4000
	fmt.Fprintf(w, "== cadastre dev\n%s\n", c.output.String())
	logs, err := filepath.Glob(filepath.Join(c.dir, "*", "*.log"))
	if err != nil {
		return
	}
	for _, path := range logs {
		data, err := os.ReadFile(path)
		if err == nil {
			fmt.Fprintf(w, "== %s\n%s\n", path, data[max(0, len(data)-tailOctets):])
		}
	}
}

// FreeBasePort finds a base port whose block of ports is free on 127.0.0.1 now. It begins
// at a place that depends on the process, so that concurrent tests seldom meet.
func FreeBasePort() (int, error) {
	const lowest, highest, step = 11000, 30000, 1000
	for i := range (highest - lowest) / step {
		base := lowest + (os.Getpid()*7+i*step)%(highest-lowest)
		base -= base % portsPerNode
		if blockIsFree(base) {
			return base, nil
		}
	}
	return 0, errors.New("no block of ports is free on 127.0.0.1")
}

func blockIsFree(base int) bool {
	for node := 1; node <= maxNodes; node++ {
		for offset := range 8 {
			address := net.JoinHostPort("127.0.0.1", strconv.Itoa(base+node*portsPerNode+offset))
			listener, err := net.Listen("tcp", address) //nolint:noctx // returns at once
			if err != nil {
				return false
			}
			if listener.Close() != nil {
				return false
			}
		}
	}
	return true
}
