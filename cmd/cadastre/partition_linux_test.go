package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/epp/eppclient"
	"cadastre/internal/devcluster"
)

// proxyNet stands between the nodes of a cluster, on the addresses that they know of one
// another. It needs no privileges: who a connection is from it learns from the kernel's
// table of sockets. What is cut is held back rather than dropped, as TCP does it.
type proxyNet struct {
	o *offlineCluster

	// pidsMu is held while a node is started, so that no connection of it is met before it is known.
	pidsMu sync.Mutex
	pids   map[string]int

	mu      sync.Mutex
	cut     map[[2]string]bool // from, to
	changed chan struct{}      // closed and replaced whenever cut changes
	open    map[net.Conn]bool
	ended   bool
}

// proxied puts every node of a stopped cluster behind a proxy: it listens elsewhere and is
// reached where it always was.
func proxied(t *testing.T, o *offlineCluster) *proxyNet {
	t.Helper()
	p := &proxyNet{o: o, pids: map[string]int{}, cut: map[[2]string]bool{}, changed: make(chan struct{}), open: map[net.Conn]bool{}}
	var workers sync.WaitGroup
	t.Cleanup(func() {
		p.end()
		workers.Wait()
	})
	for place, n := range o.info.Nodes {
		cfg := mustLoad(t, n.Config)
		cfg.Raft.Advertise, cfg.GRPC.Advertise = n.Raft, n.Admin
		cfg.Raft.Listen = devcluster.Address(o.c.BasePort, place+1, devcluster.PortsUsed+1)
		cfg.GRPC.Listen = devcluster.Address(o.c.BasePort, place+1, devcluster.PortsUsed+2)
		text, err := toml.Marshal(cfg)
		if err == nil {
			err = os.WriteFile(n.Config, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		for outside, inside := range map[string]string{n.Raft: cfg.Raft.Listen, n.Admin: cfg.GRPC.Listen} {
			listener, err := net.Listen("tcp", outside)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() }) // ends accept
			workers.Go(func() { p.accept(listener, inside, n.ID) })
		}
	}
	return p
}

// start starts a node that is behind the proxy.
func (p *proxyNet) start(id string) {
	p.pidsMu.Lock()
	defer p.pidsMu.Unlock()
	p.o.start(id)
	p.pids[id] = p.o.servers[id].Process.Pid
}

func (p *proxyNet) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	close(p.changed)
	p.changed = make(chan struct{})
	for conn := range p.open {
		_ = conn.Close() // unblocks whoever reads it
	}
}

// keep notes a connection to be closed in the end, false if that was already.
func (p *proxyNet) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		_ = conn.Close() // nothing was said
		return false
	}
	p.open[conn] = true
	return true
}

func (p *proxyNet) accept(listener net.Listener, inside, to string) {
	var workers sync.WaitGroup
	defer workers.Wait()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		if !p.keep(conn) {
			return
		}
		workers.Go(func() { p.carry(conn, inside, to) })
	}
}

// carry passes octets in both directions until one side closes.
func (p *proxyNet) carry(conn net.Conn, inside, to string) {
	from := p.owner(conn)
	onward, err := net.Dial("tcp", inside)
	if err != nil || !p.keep(onward) {
		_ = conn.Close() // as the node itself would refuse it
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(onward, conn, from, to) })
	both.Go(func() { p.pass(conn, onward, to, from) })
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	delete(p.open, onward)
}

func (p *proxyNet) pass(dst, src net.Conn, from, to string) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := src.Read(buffer)
		p.waitWhileCut(from, to)
		if n > 0 {
			if _, err := dst.Write(buffer[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_, _ = dst.Close(), src.Close() // either may be closed
}

func (p *proxyNet) waitWhileCut(from, to string) {
	for {
		p.mu.Lock()
		held, changed := p.cut[[2]string{from, to}] && !p.ended, p.changed
		p.mu.Unlock()
		if !held {
			return
		}
		<-changed
	}
}

// set cuts or mends one direction of each link given.
func (p *proxyNet) set(cut bool, links ...[2]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, link := range links {
		p.cut[link] = cut
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *proxyNet) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.cut)
	close(p.changed)
	p.changed = make(chan struct{})
}

// owner returns the node whose process has the other end of a connection, "" if none has:
// it is an operator's then.
func (p *proxyNet) owner(conn net.Conn) string {
	for range 3 { // the table may be read while it changes
		socket := socketAt(conn.RemoteAddr().(*net.TCPAddr).Port, conn.LocalAddr().(*net.TCPAddr).Port)
		p.pidsMu.Lock()
		for id, pid := range p.pids {
			if hasSocket(pid, socket) {
				p.pidsMu.Unlock()
				return id
			}
		}
		p.pidsMu.Unlock()
	}
	return ""
}

// socketAt returns the inode of the loopback socket with the ports, "" if it is gone.
func socketAt(local, remote int) string {
	table, err := os.Open("/proc/net/tcp")
	if err != nil {
		return ""
	}
	defer func() { _ = table.Close() }() // only read
	want := fmt.Sprintf("0100007F:%04X 0100007F:%04X", local, remote)
	for lines := bufio.NewScanner(table); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 9 && fields[1]+" "+fields[2] == want {
			return fields[9]
		}
	}
	return ""
}

func hasSocket(pid int, inode string) bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // none if it has ended
	for _, file := range files {
		if target, _ := os.Readlink(file); inode != "" && target == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}

// leaderSeenBy waits until the node knows a leader other than the one given.
func (o *offlineCluster) leaderSeenBy(id, not string) (leader string) {
	o.t.Helper()
	o.c.Eventually(40*time.Second, "another leader than "+not, func() error {
		answer, err := o.members(id)
		if err != nil {
			return err
		}
		if leader = answer.Leader; leader == "" || leader == not {
			return fmt.Errorf("%q leads", leader)
		}
		return nil
	})
	return leader
}

// TestPartitionsWithoutPrivileges cuts links between real processes, in one direction or
// both, by proxies within the test.
func TestPartitionsWithoutPrivileges(t *testing.T) {
	c := devtest.Start(t, program(t), "--replicas", "1")
	info := c.Info()
	if code := c.Stop(); code != exitOK {
		t.Fatalf("stopping ended with %d", code)
	}
	o := newOffline(t, c, info)
	p := proxied(t, o)
	for _, n := range info.Nodes {
		p.start(n.ID)
	}
	for _, n := range info.Nodes {
		o.waitServing(n.ID)
	}
	names := o.register("n1", "before", 5)
	voters := []string{"n1", "n2", "n3"}
	for _, test := range []struct {
		name  string
		links func(leader, other string) [][2]string
	}{
		{"only replicas see the leader", func(l, other string) [][2]string { return [][2]string{{l, other}, {other, l}} }},
		{"the leader hears no voter", func(l, other string) [][2]string { return [][2]string{{other, l}} }},
		{"no voter hears the leader", func(l, other string) [][2]string { return [][2]string{{l, other}} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			old := o.leaderSeenBy("n4", "")
			reader, writer := o.trySession(old), o.trySession(old)
			if reader == nil || writer == nil {
				t.Fatalf("%s does not serve", old)
			}
			var links [][2]string
			far := ""
			for _, id := range voters {
				if id != old {
					far = id
					links = append(links, test.links(old, id)...)
				}
			}
			began := time.Now()
			p.set(true, links...)
			next := o.leaderSeenBy(far, old)
			t.Logf("%s led; %s leads %s after the cut", old, next, time.Since(began).Round(10*time.Millisecond))
			during := o.register(far, "during-"+strings.Map(letters, test.name), 5)
			requireNoPromises(t, o, old, reader, writer, during[0])
			o.requireTruth("n4", during[0])
			p.heal()
			o.waitServing(old)
			names = append(names, during...)
		})
	}
	o.requireOneState(4)
	for _, n := range info.Nodes {
		o.requireDomains(n.ID, names)
	}
}

// requireNoPromises asks a leader that was cut off: it must answer no read that promises to
// be up to date, acknowledge nothing, and still give what it has to those who want just that.
func requireNoPromises(t *testing.T, o *offlineCluster, old string, reader, writer *eppclient.Client, unknown string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	var asking sync.WaitGroup
	asking.Go(func() {
		if response, err := reader.Do(ctx, domainInfo(unknown), "cut-1"); err == nil && response.Code() < 2400 {
			t.Errorf("a read through %s, which was cut off, is answered with %d", old, response.Code())
		}
	})
	asking.Go(func() {
		name := "lost-" + strings.TrimPrefix(unknown, "during-")
		if response, err := writer.Do(ctx, domainCreate(name), "cut-2"); err == nil && response.Code() < 2400 {
			t.Errorf("a write through %s, which was cut off, is answered with %d", old, response.Code())
		}
	})
	asking.Wait()
	_, _ = reader.Close(), writer.Close() // nothing depends on them
	if r := o.try(old, "domain", "status", "before-000.example", "--consistency", "stale"); r.Code != exitOK {
		t.Errorf("a stale read through %s: %s", old, r.Stderr)
	}
}

// requireTruth asks a node for a name that was acknowledged until it answers; it may refuse
// to, but never deny the name.
func (o *offlineCluster) requireTruth(id, name string) {
	o.t.Helper()
	o.c.Eventually(40*time.Second, id+" tells of "+name, func() error {
		client := o.trySession(id)
		if client == nil {
			return errors.New("it does not serve")
		}
		defer func() { _ = client.Close() }() // nothing depends on it
		response, err := client.Do(context.Background(), domainInfo(name), "truth-1")
		if err != nil {
			return err
		}
		if code := response.Code(); code != 1000 {
			if code < 2400 {
				o.t.Fatalf("%s denies %s, which was acknowledged: %d", id, name, code)
			}
			return fmt.Errorf("%d", code)
		}
		return nil
	})
}

// requireOneState waits until all nodes stand at one index with one hash.
func (o *offlineCluster) requireOneState(nodes int) {
	o.t.Helper()
	o.c.Eventually(40*time.Second, "one state", func() error {
		answer, err := o.members("n1")
		if err != nil {
			return err
		}
		for _, m := range answer.Members {
			first := answer.Members[0]
			if len(answer.Members) != nodes || !m.Reachable || m.AppliedIndex != first.AppliedIndex {
				return fmt.Errorf("members: %+v", answer)
			}
			if m.StateHash != first.StateHash {
				o.t.Fatalf("%s and %s differ at index %d", first.ID, m.ID, m.AppliedIndex)
			}
		}
		return nil
	})
}
