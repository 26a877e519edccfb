// Package devtest runs dev clusters of real processes within a test: what fails there fails
// the test, with the logs, and nothing is left running.
package devtest

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cadastre/internal/devcluster"
)

const (
	// commandTimeout bounds one command line.
	commandTimeout = 60 * time.Second
	pollInterval   = 20 * time.Millisecond
	// portAttempts is how often a new cluster is tried on other ports when another program
	// takes one of them after it was found free.
	portAttempts = 3
)

// Cluster is a dev cluster under test.
type Cluster struct {
	Dir      string
	BasePort int

	t   testing.TB
	cfg devcluster.Config
	// run is the latest run of `cadastre dev`, running whether it has not been ended.
	run     *devcluster.Cluster
	running bool
}

// Start starts a new cluster with additional arguments of `cadastre dev` and returns when
// it is ready. The cluster is stopped when the test ends.
func Start(t testing.TB, binary string, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	t.Cleanup(func() {
		if c.running {
			c.Stop()
		}
	})
	for attempt := 1; ; attempt++ {
		c.BasePort, c.Dir = FreeBasePort(t), filepath.Join(t.TempDir(), "dev")
		c.cfg = devcluster.Config{Binary: binary, Dir: c.Dir, BasePort: c.BasePort, Args: args}
		run, err := devcluster.Start(context.Background(), c.cfg)
		if err == nil {
			c.run, c.running = run, true
			return c
		}
		if attempt == portAttempts || !strings.Contains(err.Error(), "is in use by another process") {
			t.Fatal(err)
		}
		t.Logf("somebody else took a port from %d on meanwhile; trying others", c.BasePort)
	}
}

// FreeBasePort finds a base port for a cluster.
func FreeBasePort(t testing.TB) int {
	t.Helper()
	base, err := devcluster.FreeBasePort()
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// Run starts `cadastre dev` on the cluster's folder, again if it ran before, with more
// arguments if need be.
func (c *Cluster) Run(args ...string) {
	c.t.Helper()
	cfg := c.cfg
	cfg.Args = slices.Concat(cfg.Args, args)
	run, err := devcluster.Start(context.Background(), cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	c.run, c.running = run, true
}

// Info reads dev.json.
func (c *Cluster) Info() *devcluster.Info {
	c.t.Helper()
	info, err := c.run.Info()
	if err != nil {
		c.t.Fatal(err)
	}
	return info
}

// Node returns the node with the id.
func (c *Cluster) Node(id string) devcluster.Node {
	c.t.Helper()
	n, err := c.run.Node(id)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// Stop stops the cluster as Ctrl-C does and returns the exit status of `cadastre dev`.
func (c *Cluster) Stop() int {
	c.t.Helper()
	c.running = false
	if err := c.run.Stop(); err != nil {
		c.t.Errorf("%v\n%s", err, c.run.Logs())
	}
	return c.run.ExitCode()
}

// KillAll kills `cadastre dev` and every node at once, as a power cut would.
func (c *Cluster) KillAll() {
	c.t.Helper()
	c.running = false
	if err := c.run.KillAll(); err != nil {
		c.t.Fatal(err)
	}
}

// KillDev kills only `cadastre dev` itself.
func (c *Cluster) KillDev() {
	c.t.Helper()
	c.running = false
	if err := c.run.KillDev(); err != nil {
		c.t.Fatal(err)
	}
}

// KillNode kills a node as a crash would, and waits until the process is gone.
func (c *Cluster) KillNode(id string) {
	c.t.Helper()
	if err := c.run.KillNode(context.Background(), id); err != nil {
		c.t.Fatal(err)
	}
}

// Output returns what `cadastre dev` has printed.
func (c *Cluster) Output() string { return c.run.Output() }

// Logs returns the ends of all logs, for a failing test.
func (c *Cluster) Logs() string { return c.run.Logs() }

// CLI runs the program with "--dev DIR" after the arguments given.
func (c *Cluster) CLI(args ...string) devcluster.Result {
	c.t.Helper()
	return Run(c.t, c.cfg.Binary, append(args, "--dev", c.Dir)...)
}

// MustCLIWithin is MustCLI for a command that may take longer than others.
func (c *Cluster) MustCLIWithin(timeout time.Duration, args ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	r, err := devcluster.Run(ctx, c.cfg.Binary, append(args, "--dev", c.Dir)...)
	if err != nil || r.Code != 0 {
		c.t.Fatalf("cadastre %q: exit status %d, %v\n%s%s", args, r.Code, err, r.Stdout, r.Stderr)
	}
	return r.Stdout
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
func Run(t testing.TB, binary string, args ...string) devcluster.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	r, err := devcluster.Run(ctx, binary, args...)
	if err != nil {
		t.Fatal(err)
	}
	return r
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
