package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// samplesPerSecond is how often perf looks at each core: prime, so that it does not keep step
// with timers.
const samplesPerSecond = 997

// profiler records with perf(1) where the nodes spend their CPU time while something is
// measured. The zero value does nothing.
type profiler struct{ dir string }

// start begins a recording into the folder, named after what is measured; stop ends it.
func (p profiler) start(name string, pids []int) (stop func() error, err error) {
	if p.dir == "" {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	var list []string
	for _, pid := range pids {
		list = append(list, strconv.Itoa(pid))
	}
	perf := exec.Command("perf", "record", "-q", "-g", "-F", strconv.Itoa(samplesPerSecond),
		"-p", strings.Join(list, ","), "-o", filepath.Join(p.dir, name+".perf"))
	if err := perf.Start(); err != nil {
		return nil, fmt.Errorf("record a profile: %w", err)
	}
	return func() error {
		if err := perf.Process.Signal(os.Interrupt); err != nil {
			return fmt.Errorf("end the profile: %w", err)
		}
		var ended *exec.ExitError
		if err := perf.Wait(); err != nil && !errors.As(err, &ended) { // it reports the signal as its end
			return fmt.Errorf("end the profile: %w", err)
		}
		return nil
	}, nil
}
