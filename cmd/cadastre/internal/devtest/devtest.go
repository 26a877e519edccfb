// Package devtest starts real dev clusters for tests: it builds the program, runs
// `cadastre dev` on a temporary folder, waits until dev.json says that all is ready, and
// makes sure that nothing is left running.
package devtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// ReadyTimeout bounds the start of a cluster on a busy machine.
	ReadyTimeout = 90 * time.Second
	// StopTimeout bounds a graceful stop.
	StopTimeout = 60 * time.Second
	// CommandTimeout bounds one command line.
	CommandTimeout = 60 * time.Second
	pollInterval   = 20 * time.Millisecond
)

// Info is dev.json.
type Info struct {
	TLDs       []string    `json:"tlds"`
	CA         string      `json:"ca"`
	ClusterID  string      `json:"cluster_id"`
	Nodes      []Node      `json:"nodes"`
	Registrars []Registrar `json:"registrars"`
	Operator   Files       `json:"operator"`
}

// Node is one node in dev.json.
type Node struct {
	ID      string `json:"id"`
	Role    string `json:"role"`
	PID     int    `json:"pid"`
	Data    string `json:"data"`
	Log     string `json:"log"`
	Config  string `json:"config"`
	EPP     string `json:"epp"`
	DNS     string `json:"dns"`
	WHOIS   string `json:"whois"`
	Admin   string `json:"admin"`
	Metrics string `json:"metrics"`
	Raft    string `json:"raft"`
	Gossip  string `json:"gossip"`
}

// Registrar is one registrar in dev.json.
type Registrar struct {
	ID       string `json:"id"`
	Password string `json:"password"`
	Files
}

// Files are a certificate and its key.
type Files struct {
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

// Build compiles the program into dir and returns its path. It must be called from a
// package below the module's root.
func Build(dir string) (string, error) {
	binary := filepath.Join(dir, "cadastre")
	out, err := exec.Command("go", "build", "-o", binary, "cadastre/cmd/cadastre").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w: %s", err, out)
	}
	return binary, nil
}

// Cluster is a dev cluster under test.
type Cluster struct {
	Dir      string
	BasePort int

	t      testing.TB
	binary string
	args   []string

	// cmd is the running `cadastre dev`, nil while there is none; ended is closed when it has.
	cmd    *exec.Cmd
	ended  chan struct{}
	output *lockedBuffer
}

// Start starts a new cluster with additional arguments of `cadastre dev` and returns when
// it is ready. The cluster is stopped when the test ends.
func Start(t testing.TB, binary string, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{Dir: filepath.Join(t.TempDir(), "dev"), BasePort: FreeBasePort(t), t: t, binary: binary, args: args}
	t.Cleanup(func() {
		if c.cmd != nil {
			c.Stop()
		}
	})
	c.Run()
	return c
}

// Run starts `cadastre dev` on the cluster's folder, again if it ran before.
func (c *Cluster) Run() {
	c.t.Helper()
	if err := os.Remove(c.infoPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		c.t.Fatal(err)
	}
	args := append([]string{"dev", "--dir", c.Dir, "--base-port", fmt.Sprint(c.BasePort)}, c.args...)
	c.output = &lockedBuffer{}
	c.cmd = exec.Command(c.binary, args...)
	c.cmd.Stdout, c.cmd.Stderr = c.output, c.output
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // ExitCode has the outcome
		close(ended)
	}(c.cmd, c.ended)
	c.Eventually(ReadyTimeout, "dev.json", func() error {
		select {
		case <-c.ended:
			c.t.Fatalf("cadastre dev ended early:\n%s%s", c.output, c.Logs())
		default:
		}
		_, err := os.Stat(c.infoPath())
		return err
	})
}

func (c *Cluster) infoPath() string { return filepath.Join(c.Dir, "dev.json") }

// Info reads dev.json.
func (c *Cluster) Info() *Info {
	c.t.Helper()
	content, err := os.ReadFile(c.infoPath())
	if err != nil {
		c.t.Fatal(err)
	}
	info := &Info{}
	if err := json.Unmarshal(content, info); err != nil {
		c.t.Fatalf("dev.json: %v", err)
	}
	return info
}

// Node returns the node with the id.
func (c *Cluster) Node(id string) Node {
	c.t.Helper()
	for _, n := range c.Info().Nodes {
		if n.ID == id {
			return n
		}
	}
	c.t.Fatalf("dev.json has no node %s", id)
	return Node{}
}

// Stop stops the cluster as Ctrl-C does and returns the exit status of `cadastre dev`.
func (c *Cluster) Stop() int {
	c.t.Helper()
	cmd := c.cmd
	c.cmd = nil
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-c.ended:
	case <-time.After(StopTimeout):
		_ = cmd.Process.Kill() // it may have ended just now
		<-c.ended
		c.t.Errorf("cadastre dev did not stop within %s:\n%s%s", StopTimeout, c.output, c.Logs())
	}
	return cmd.ProcessState.ExitCode()
}

// KillAll kills `cadastre dev` and every node at once, as a power cut would.
func (c *Cluster) KillAll() {
	c.t.Helper()
	info := c.Info()
	cmd := c.cmd
	c.cmd = nil
	_ = cmd.Process.Kill() // first, so that it does not tell the nodes to stop
	for _, n := range info.Nodes {
		_ = syscall.Kill(n.PID, syscall.SIGKILL) // it may be gone with its parent
	}
	<-c.ended
}

// KillDev kills only `cadastre dev` itself.
func (c *Cluster) KillDev() {
	c.t.Helper()
	cmd := c.cmd
	c.cmd = nil
	_ = cmd.Process.Kill() // it may have ended
	<-c.ended
}

// KillNode kills a node as a crash would, and waits until the process is gone.
func (c *Cluster) KillNode(id string) {
	c.t.Helper()
	pid := c.Node(id).PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		c.t.Fatalf("kill %s: %v", id, err)
	}
	c.Eventually(StopTimeout, "the end of "+id, func() error {
		if syscall.Kill(pid, 0) == nil {
			return fmt.Errorf("process %d is still there", pid)
		}
		return nil
	})
}

// Output returns what `cadastre dev` has printed.
func (c *Cluster) Output() string { return c.output.String() }

// Result is how a command line ended.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// CLI runs the program with "--dev DIR" after the arguments given.
func (c *Cluster) CLI(args ...string) Result {
	c.t.Helper()
	return Run(c.t, c.binary, append(args, "--dev", c.Dir)...)
}

// MustCLI is CLI that must end with status 0; it returns standard output.
func (c *Cluster) MustCLI(args ...string) string {
	c.t.Helper()
	r := c.CLI(args...)
	if r.Code != 0 {
		c.t.Fatalf("cadastre %q: exit status %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// Run runs the program.
func Run(t testing.TB, binary string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), CommandTimeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatalf("run cadastre %q: %v", args, err)
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// Eventually tries until try succeeds, and fails the test after the timeout.
func (c *Cluster) Eventually(timeout time.Duration, what string, try func() error) {
	c.t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%s: not within %s: %v\n%s", what, timeout, err, c.Logs())
		}
		timer := time.NewTimer(pollInterval)
		<-timer.C
	}
}

// Logs returns the ends of the nodes' logs, for a failing test.
func (c *Cluster) Logs() string {
	paths, _ := filepath.Glob(filepath.Join(c.Dir, "n*", "log")) // the pattern is right
	out := ""
	for _, path := range paths {
		content, _ := os.ReadFile(path) // what there is
		const tail = 3000
		out += fmt.Sprintf("--- %s\n%s\n", path, content[max(0, len(content)-tail):])
	}
	return out
}

// FreeBasePort finds a base for --base-port whose blocks for six nodes are free.
func FreeBasePort(t testing.TB) int {
	t.Helper()
	const lowest, highest, step, nodes, services = 10000, 19000, 700, 6, 8
	count := (highest - lowest) / step
	offset := int(time.Now().UnixNano()/1000) % count
	for i := range count {
		base := lowest + step*((offset+i)%count)
		free := true
		for node := 1; node <= nodes && free; node++ {
			for service := 0; service < services && free; service++ {
				listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+100*node+service))
				if free = err == nil; free {
					_ = listener.Close() // nothing was accepted
				}
			}
		}
		if free {
			return base
		}
	}
	t.Fatal("no free block of ports")
	return 0
}

// lockedBuffer is a buffer that a process writes while a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
