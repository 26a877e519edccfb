package nameserver

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const testDeadline = 30 * time.Second

func TestReserveHoldsBothTransports(t *testing.T) {
	p, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []struct {
		name string
		do   func() error
		free bool
	}{{"reserved", func() error { return nil }, false}, {"released", p.Release, true}, {"released twice", p.Release, true},
		{"held again", p.Hold, false}, {"held twice", p.Hold, false}} {
		if err := state.do(); err != nil {
			t.Fatalf("%s: %v", state.name, err)
		}
		var lc net.ListenConfig
		udp, udpErr := lc.ListenPacket(t.Context(), "udp", p.Address())
		if udpErr == nil {
			_ = udp.Close()
		}
		tcp, tcpErr := lc.Listen(t.Context(), "tcp", p.Address())
		if tcpErr == nil {
			_ = tcp.Close()
		}
		if (udpErr == nil) != state.free || (tcpErr == nil) != state.free {
			t.Errorf("%s: UDP %v, TCP %v", state.name, udpErr, tcpErr)
		}
	}
	_ = p.Release()
}

// TestIdentity sees that neither a question that came back nor another server's answer passes for the server.
func TestIdentity(t *testing.T) {
	response := func(text string) func(q []byte) []byte {
		return func(q []byte) []byte {
			q[2] |= 0x80
			return append(q, text...)
		}
	}
	tests := []struct {
		name   string
		answer func(q []byte) []byte
		want   string
	}{
		{"ours", response("nsd-7-53"), ""},
		{"another", response("nsd-8-53"), "is not nsd-7-53"},
		{"an echo", func(q []byte) []byte { return q }, "no response"},
		{"another id", func(q []byte) []byte { return append([]byte{0, 0}, response("nsd-7-53")(q)[2:]...) }, "no response"},
		{"a fragment", func(q []byte) []byte { return q[:5] }, "no response"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := Reserve()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Release() }()
			udp, tcp := p.udp, p.tcp
			go func() {
				buf := make([]byte, 512)
				for {
					n, from, err := udp.ReadFromUDP(buf)
					if err != nil {
						return
					}
					_, _ = udp.WriteToUDP(test.answer(buf[:n]), from)
				}
			}()
			go func() {
				for {
					conn, err := tcp.Accept()
					if err != nil {
						return
					}
					buf := make([]byte, 512)
					n, _ := conn.Read(buf)
					reply := test.answer(buf[min(n, 2):n])
					_, _ = conn.Write(append([]byte{byte(len(reply) >> 8), byte(len(reply))}, reply...))
					_ = conn.Close()
				}
			}()
			err = askIdentity(t.Context(), p.Address(), "nsd-7-53")
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestStartTriesAnotherPort(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	defer cancel()
	count := func() int {
		content, _ := os.ReadFile(filepath.Join(dir, "tries"))
		return len(strings.Fields(string(content)))
	}
	inUse := Config{Name: "busy", Dir: dir, Command: []string{"/bin/sh", "-c", "echo PORT >> DIR/tries; echo Address already in use >&2; exit 1"},
		Ready: func(context.Context, string) error { return errors.New("no") }}
	if _, err := Start(ctx, inUse); err == nil || !strings.Contains(err.Error(), "Address already in use") || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("got %v", err)
	}
	if got := count(); got != startAttempts {
		t.Errorf("%d attempts, want %d", got, startAttempts)
	}
	broken := inUse
	broken.Name, broken.Command = "broken", []string{"/bin/sh", "-c", "echo PORT >> DIR/tries; exit 1"}
	if _, err := Start(ctx, broken); err == nil {
		t.Error("a server that ends is in service")
	}
	if got := count(); got != startAttempts+1 {
		t.Errorf("%d attempts in all, want %d", got, startAttempts+1)
	}
}

func TestFailureIsNoticed(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	defer cancel()
	p, err := Start(ctx, Config{Name: "waits", Dir: dir, Text: "identity IDENTITY port PORT\n", Command: []string{"/bin/cat", "DIR/pipe"},
		Ready: func(context.Context, string) error { return nil }})
	if err == nil { // cat ends at once, as there is no pipe, unless it was looked at before
		deadline := time.After(testDeadline)
		select {
		case <-p.ended:
		case <-deadline:
			t.Fatal("the process does not end")
		}
		err = p.Failure()
		p.Stop()
	}
	if err == nil || !strings.Contains(err.Error(), "No such file") {
		t.Errorf("got %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "waits.conf"))
	if err != nil || !strings.HasPrefix(string(text), "identity waits-") || strings.Contains(string(text), "PORT") {
		t.Errorf("configuration %q, %v", text, err)
	}
}

func TestStopEndsChildren(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	defer cancel()
	p, err := Start(ctx, Config{Name: "parent", Dir: t.TempDir(), Command: []string{"/bin/sh", "-c", "sleep 1000 & wait"},
		Ready: func(context.Context, string) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Failure(); err != nil {
		t.Error(err)
	}
	p.Stop()
	if p.Failure() == nil {
		t.Error("it runs after Stop")
	}
}

// TestRealServers starts what is installed.
func TestRealServers(t *testing.T) {
	for _, test := range []struct {
		program string
		args    []string
		text    string
	}{
		{"nsd", []string{"-d", "-c"}, "server:\n  ip-address: 127.0.0.1@PORT\n  identity: \"IDENTITY\"\n  username: \"\"\n  zonesdir: \"DIR\"\n  pidfile: \"DIR/pid\"\n" +
			"  xfrdfile: \"DIR/x\"\n  zonelistfile: \"DIR/z\"\n  database: \"\"\nremote-control:\n  control-enable: no\n"},
		{"knotd", []string{"-c"}, "server:\n  rundir: DIR\n  identity: IDENTITY\n  listen: 127.0.0.1@PORT\ndatabase:\n  storage: DIR\nlog:\n  - target: stderr\n    any: info\n"},
	} {
		t.Run(test.program, func(t *testing.T) {
			program := Find(test.program)
			if program == "" {
				t.Skipf("SKIPPED: %s is not installed", test.program)
			}
			ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
			defer cancel()
			p, err := Start(ctx, Config{Name: test.program, Dir: t.TempDir(), Command: append([]string{program}, test.args...), Text: test.text})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Stop()
			if err := askIdentity(ctx, p.Address(), "someone-else"); err == nil {
				t.Error("any identity will do")
			}
		})
	}
}
