package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/cluster"
	"cadastre/cmd/cadastre/internal/devtest"
)

// killedUntilDone runs a command again and again, killing it at ever later moments, until it
// gets to its end; done says of an output that it had got there before it was killed.
func killedUntilDone(t *testing.T, args []string, done func(out string) bool) (kills int) {
	t.Helper()
	const patience = 20 * time.Second
	for delay := 20 * time.Millisecond; delay < patience; delay += delay/3 + 10*time.Millisecond {
		var out bytes.Buffer
		command := exec.Command(program(t), args...)
		command.Stdout, command.Stderr = &out, &out
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		killer := time.AfterFunc(delay, func() { _ = command.Process.Kill() }) // it may have ended
		err := command.Wait()
		if inTime := killer.Stop(); err == nil || inTime && done(out.String()) {
			return kills
		} else if inTime {
			t.Fatalf("after %d kills: %v: %s", kills, err, out.String())
		}
		kills++
	}
	t.Fatalf("cadastre %q does not end within %s", args, patience)
	return 0
}

// TestAuthorityRotationIsKilled kills both runs of a rotation at ever later moments and
// repeats them: nobody is locked out on the way, and in the end one authority is left.
func TestAuthorityRotationIsKilled(t *testing.T) {
	c := devtest.Start(t, program(t))
	ca, dir := filepath.Join(c.Dir, "ca"), t.TempDir()
	old, err := cluster.LoadCA(ca)
	if err != nil {
		t.Fatal(err)
	}
	first := operatorOf(t, c, "olga", filepath.Join(dir, "old"), "n1")
	kills := killedUntilDone(t, append([]string{"ca", "rotate", "--dir", ca}, first...), func(out string) bool {
		return strings.Contains(out, "run this with --finish")
	})
	t.Logf("the first run was killed %d times", kills)
	second := operatorOf(t, c, "olga", filepath.Join(dir, "new"), "n2")
	for _, operator := range [][]string{append(first, "--ca", filepath.Join(dir, "new", "ca.crt")), second} {
		if r := devtest.Run(t, program(t), append([]string{"cluster", "members"}, operator...)...); r.Code != exitOK {
			t.Errorf("between the runs: %s", r.Stderr)
		}
	}
	kills = killedUntilDone(t, append([]string{"ca", "rotate", "--dir", ca, "--finish"}, second...), func(string) bool { return false })
	t.Logf("the second run was killed %d times", kills)
	now, err := cluster.LoadCA(ca)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := now.Trusted(); err != nil || len(list) != 1 || list[0].Equal(old.Certificate()) {
		t.Errorf("the folder trusts %d authorities, %v", len(list), err)
	}
	if r := devtest.Run(t, program(t), append([]string{"cluster", "transfer-leader", "n2"}, second...)...); r.Code != exitOK {
		t.Errorf("the nodes do not work together: %s", r.Stderr)
	}
	for _, id := range []string{"n1", "n2", "n3"} {
		c.Eventually(10*time.Second, id+" trusts one authority", func() error {
			if _, body := get(t, c.Node(id).Metrics); !strings.Contains(body, "\ncadastre_trusted_authorities 1\n") {
				return &usageError{"it does not say so"}
			}
			return nil
		})
	}
}
