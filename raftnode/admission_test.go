package raftnode

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func TestDiskLevelsHaveHysteresis(t *testing.T) {
	var free uint64
	d := &diskSpace{
		dir: t.TempDir(), lowWater: 1000, logger: slog.New(slog.DiscardHandler),
		measure: func(string) (uint64, uint64, error) {
			if free == 0 {
				return 0, 0, errors.New("it does not answer")
			}
			return free, 1 << 40, nil
		},
	}
	for i, step := range []struct {
		free uint64
		want diskLevel
	}{
		{2000, diskAmple}, {1000, diskAmple}, {999, diskLow}, {1100, diskLow}, {1249, diskLow}, {1250, diskAmple},
		{1100, diskAmple}, {500, diskLow}, {249, diskCritical}, {0, diskCritical}, {250, diskLow}, {1200, diskLow}, {9000, diskAmple},
	} {
		free = step.free
		d.sample()
		if got := diskLevel(d.level.Load()); got != step.want {
			t.Errorf("step %d: level %d with %d free, want %d", i, got, step.free, step.want)
		}
	}
}

func TestDefaultLowWaterFollowsTheSize(t *testing.T) {
	for size, want := range map[uint64]uint64{100 << 20: 64 << 20, 4 << 30: 4 << 30 / 20, 1 << 40: 512 << 20} {
		d := &diskSpace{logger: slog.New(slog.DiscardHandler), measure: func(string) (uint64, uint64, error) { return size, size, nil }}
		d.sample()
		if got := d.low.Load(); got != want {
			t.Errorf("of %d octets: mark %d, want %d", size, got, want)
		}
	}
	free, size, err := measureDisk(t.TempDir())
	if err != nil || free == 0 || size < free {
		t.Errorf("measured %d of %d, %v", free, size, err)
	}
	if _, _, err := measureDisk(t.TempDir() + "/absent"); err == nil {
		t.Error("an absent folder was measured")
	}
}

func TestAdmissionBySizeOfTheLag(t *testing.T) {
	a := &admission{disk: &diskSpace{}, maxLag: 100, applied: func() uint64 { return 1000 }}
	for _, tt := range []struct {
		command   *fsmpb.Command
		committed uint64
		refused   bool
	}{
		{registrarCreate(1), 1100, false}, {registrarCreate(1), 1101, true}, {registrarCreate(1), 900, false},
		{tick(), 1101, false}, {tick(), 1400, false}, {tick(), 1401, true},
	} {
		err := a.admit(tt.command, tt.committed)
		if (err != nil) != tt.refused || err != nil && !errors.Is(err, registry.CodeOverloaded) {
			t.Errorf("%T at %d: %v", tt.command.GetBody(), tt.committed, err)
		}
	}
	if got := a.lagged.Load(); got != 2 {
		t.Errorf("%d refusals counted", got)
	}
}

// slowMachine applies nothing while it is held.
type slowMachine struct {
	StateMachine
	gate chan struct{} // a token is a permit
	held atomic.Bool
}

func (m *slowMachine) Apply(entries []fsm.Entry) ([][]*fsmpb.Result, fsm.Effects) {
	if m.held.Load() {
		<-m.gate
	}
	return m.StateMachine.Apply(entries)
}

func TestALeaderWhoseStateLagsTakesNoMore(t *testing.T) {
	machine := &slowMachine{gate: make(chan struct{})}
	c := newCluster(t, func(cfg *Config) {
		machine.StateMachine = cfg.Machine
		cfg.Machine = machine
	})
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	n.node.admission.maxLag = 3
	machine.held.Store(true)
	release := sync.OnceFunc(func() {
		machine.held.Store(false)
		close(machine.gate)
	})
	t.Cleanup(release)
	done := make(chan error, 64)
	proposed := 0
	eventually(t, "the refusal", func() error {
		if proposed < cap(done) {
			proposed++
			go func(number int) {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				_, err := n.node.Propose(ctx, registrarCreate(number))
				done <- err
			}(proposed)
		}
		return errUnless(n.node.Refusals()[RefusedAppliedLag] > 0, "none yet")
	})
	release()
	refused := 0
	for range proposed {
		switch err := <-done; {
		case err == nil:
		case errors.Is(err, registry.CodeOverloaded):
			refused++
		default:
			t.Errorf("propose: %v", err)
		}
	}
	if uint64(refused) != n.node.Refusals()[RefusedAppliedLag] {
		t.Errorf("%d callers were refused, %d counted", refused, n.node.Refusals()[RefusedAppliedLag])
	}
	n.propose(t, registrarCreate(1000)) // it has caught up
}

func TestALeaderWithALowDiskTakesOnlyWhatTheClusterNeeds(t *testing.T) {
	var free atomic.Uint64
	free.Store(5000)
	c := newCluster(t, nil)
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	if err := n.stop(t); err != nil {
		t.Fatal(err)
	}
	n.open(t)
	n.node.disk.lowWater = 1000
	n.node.disk.measure = func(string) (uint64, uint64, error) { return free.Load(), 1 << 30, nil }
	n.run(t)
	c.leader()
	for i, step := range []struct {
		free                 uint64
		registrars, clusters bool
	}{{900, false, true}, {100, false, false}, {1100, false, true}, {5000, true, true}} {
		free.Store(step.free)
		eventually(t, "the sample", func() error { return errUnless(n.node.Disk().FreeBytes == step.free, "not yet") })
		if low := n.node.Disk().IsLow; low == step.registrars {
			t.Errorf("%d free: low is %v", step.free, low)
		}
		_, err := n.node.Propose(testContext(t), registrarCreate(i))
		if (err == nil) != step.registrars || err != nil && !errors.Is(err, registry.CodeOverloaded) {
			t.Errorf("%d free: a registrar's command: %v", step.free, err)
		}
		if _, err = n.node.Propose(testContext(t), tick()); (err == nil) != step.clusters {
			t.Errorf("%d free: a tick: %v", step.free, err)
		}
	}
	if got := n.node.Refusals()[RefusedDiskLow]; got != 4 {
		t.Errorf("%d refusals counted, want 4", got)
	}
	// What was done before is still answered by its request id.
	done := registrarCreate(77)
	done.RequestId = &fsmpb.RequestID{OriginNode: "n9", BootEpoch: 1, Counter: 1}
	first, err := n.node.Propose(testContext(t), done)
	if err != nil {
		t.Fatal(err)
	}
	free.Store(900)
	eventually(t, "the sample", func() error { return errUnless(n.node.Disk().IsLow, "not yet") })
	again, err := n.node.Propose(testContext(t), done)
	if err != nil || again.GetIndex() != first.GetIndex() {
		t.Errorf("asked again with a low disk: %v, %v; the first time %v", again, err, first)
	}
	other := registrarCreate(78)
	other.RequestId = &fsmpb.RequestID{OriginNode: "n9", BootEpoch: 1, Counter: 2}
	if _, err := n.node.Propose(testContext(t), other); !errors.Is(err, registry.CodeOverloaded) {
		t.Errorf("a new request with a low disk: %v", err)
	}
}
