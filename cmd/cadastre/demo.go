package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cadastre/internal/devcluster"
	"cadastre/internal/pause"
)

const (
	// demoTimeout bounds the whole story.
	demoTimeout = 2 * time.Minute
	// demoStepTimeout bounds what is to happen soon.
	demoStepTimeout = 20 * time.Second
	// demoPollInterval is how often a resolver in a hurry would ask.
	demoPollInterval = 2 * time.Millisecond
	demoTLD          = "example"
)

func newDemoCommand(a *app) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show in half a minute what a cluster does",
		Long: `Starts a cluster of three nodes in a temporary folder, registers a domain, shows that every
node serves it, kills the leader, registers another, brings the killed node back, adds a fourth
node and removes it, and compares the states of all nodes. It measures each step, and fails if
anything is not as told. Nothing is left behind.`,
		Example: "  cadastre demo",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), demoTimeout)
			defer cancel()
			return a.runDemo(ctx, keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the temporary folder, for a look at the logs")
	return cmd
}

// demo tells the story.
type demo struct {
	out     io.Writer
	d       *devCluster
	info    *devcluster.Info
	number  int
	results []demoStep
}

// demoStep is one line of the story.
type demoStep struct {
	Step         string  `json:"step"`
	Milliseconds float64 `json:"ms"`
}

func (a *app) runDemo(ctx context.Context, keep bool) (err error) {
	dir, err := os.MkdirTemp("", "cadastre-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	if !keep {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	base, err := devcluster.FreeBasePort()
	if err != nil {
		return err
	}
	out := a.stdout
	if a.json {
		out = io.Discard
	}
	s := &demo{out: out}
	begun := time.Now()
	unlock, err := lockFolder(dir)
	if err != nil {
		return err
	}
	defer unlock()
	options := &devOptions{dir: dir, nodes: 3, basePort: base, tlds: []string{demoTLD}, clock: "system"}
	if s.d, err = openDev(ctx, options, func(string) bool { return false }, io.Discard); err != nil {
		return fmt.Errorf("start three nodes: %w", err)
	}
	defer func() { err = errors.Join(err, s.d.stopAll()) }()
	s.info = s.d.info()
	s.tell(time.Since(begun), "three nodes run, elected a leader and serve .%s", demoTLD)
	if err := s.story(ctx); err != nil {
		return err
	}
	total := time.Since(begun)
	return a.result(map[string]any{"steps": s.results, "total_ms": milliseconds(total)}, fmt.Sprintf("\nAll as told, in %.1f s.", total.Seconds()))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// tell prints one step with how long it took.
func (s *demo) tell(took time.Duration, format string, args ...any) {
	s.number++
	text := fmt.Sprintf(format, args...)
	s.results = append(s.results, demoStep{Step: text, Milliseconds: milliseconds(took)})
	s.print("%2d. %8.1f ms  %s\n", s.number, milliseconds(took), text)
}

// print writes to whoever watches; without a reader the story goes on.
func (s *demo) print(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }

// show prints what a client saw, indented below its step.
func (s *demo) show(lines ...string) {
	for _, line := range lines {
		s.print("                    %s\n", line)
	}
}

// until tries at short intervals and returns how long it took from begun.
func until(ctx context.Context, begun time.Time, try func(ctx context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, demoStepTimeout)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return time.Since(begun), nil
		}
		if pause.For(ctx, demoPollInterval) != nil {
			return 0, fmt.Errorf("not within %s: %w", demoStepTimeout, err)
		}
	}
}

// askWHOIS returns the answer of a WHOIS server (RFC 3912).
func askWHOIS(ctx context.Context, address, query string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("ask WHOIS at %s: %w", address, err)
	}
	defer func() { _ = conn.Close() }() // everything was read
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a fresh connection takes one
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", query); err != nil {
		return "", fmt.Errorf("ask WHOIS at %s: %w", address, err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, maxDocumentBytes))
	if err != nil {
		return "", fmt.Errorf("ask WHOIS at %s: %w", address, err)
	}
	return strings.ReplaceAll(string(answer), "\r", ""), nil
}
