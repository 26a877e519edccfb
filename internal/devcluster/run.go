package devcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
)

// Result is how a command line ended.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Run runs the program with the arguments. An error means that it did not run to its end.
func Run(ctx context.Context, binary string, args ...string) (Result, error) {
	command := exec.CommandContext(ctx, binary, args...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); ended && ctx.Err() == nil {
		err = nil
	}
	if err != nil {
		return Result{}, fmt.Errorf("run cadastre %q: %w: %s", args, err, stderr.String())
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: command.ProcessState.ExitCode()}, nil
}

// Run runs the program with the arguments and returns its standard output; an exit status
// other than 0 is an error.
func (c *Cluster) Run(ctx context.Context, args ...string) (string, error) {
	r, err := Run(ctx, c.cfg.Binary, args...)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("cadastre %q: exit status %d: %s%s", args, r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout, err
}

// Build compiles the program into dir and returns its path. The working directory must be
// within the module.
func Build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "cadastre")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "cadastre/cmd/cadastre").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w: %s", err, out)
	}
	return binary, nil
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
