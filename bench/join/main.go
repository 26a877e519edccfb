// Command join measures the join of a node to a large registry while registrars write: how
// long it takes, what it moves, what it costs those who write, and what the nodes take.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"cadastre/bench/bulk"
	"cadastre/bench/load"
	"cadastre/internal/devcluster"
)

const (
	// newNode is the number of the node that joins; a dev cluster has fewer.
	newNode = devcluster.MaxNodes
	// quiet is how long is written before and after.
	quiet = 10 * time.Second
	// stall is what no command may wait because of a checkpoint.
	stall       = 50 * time.Millisecond
	callTimeout = 5 * time.Second
	joinTimeout = 30 * time.Minute
)

func main() { os.Exit(load.Main("join", run)) }

func run(ctx context.Context) error {
	bin := flag.String("bin", "bin/cadastre", "the program")
	domains := flag.Int("domains", 1_000_000, "how large the registry is")
	dir := flag.String("dir", "", "a filled dev cluster to use and change, from bench/fill; default: make one")
	port := flag.Int("base-port", 0, "its base port; default: a free one")
	perSecond := flag.Int("writes", 100, "creates a second while it joins")
	flag.Parse()
	if *port == 0 {
		free, err := devcluster.FreeBasePort()
		if err != nil {
			return err
		}
		*port = free
	}
	if *dir == "" {
		made, err := os.MkdirTemp("", "cadastre-join-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(made) }() // what is left is in the way of nobody
		*dir = made
	}
	cfg := devcluster.Config{Binary: *bin, Dir: *dir, BasePort: *port}
	b := &bench{dir: *dir, bin: *bin, port: *port, every: time.Second / time.Duration(*perSecond)}
	err := b.start(ctx, cfg, *domains)
	if b.cluster == nil {
		return err
	}
	if err == nil {
		err = b.measure(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, b.cluster.Logs())
	}
	return errors.Join(err, b.cluster.Stop())
}

type bench struct {
	cluster  *devcluster.Cluster
	info     *devcluster.Info
	bin, dir string
	port     int
	every    time.Duration

	mu      sync.Mutex
	samples []sample
}

// sample is one create: when it was sent and how long it took.
type sample struct {
	at   time.Time
	took time.Duration
}

func (b *bench) start(ctx context.Context, cfg devcluster.Config, domains int) (err error) {
	if _, statErr := os.Stat(filepath.Join(cfg.Dir, "cluster.json")); statErr == nil {
		started := time.Now()
		if b.cluster, err = devcluster.Start(ctx, cfg); err == nil {
			fmt.Printf("restart of the whole cluster until it serves:  %.1f s\n", time.Since(started).Seconds())
		}
	} else {
		var filled *bulk.Filled
		b.cluster, filled, err = bulk.StartFilled(ctx, cfg, bulk.Config{Domains: domains, Seed: 1})
		if err == nil {
			fmt.Printf("filled with %d domains in %.0f s\n", filled.Domains, filled.Took.Seconds())
		}
	}
	if err != nil {
		return err
	}
	b.info, err = b.cluster.Info()
	return err
}

func (b *bench) measure(ctx context.Context) error {
	for _, n := range b.info.Nodes {
		fmt.Printf("memory of %s after its start:  %d MB\n", n.ID, residentMB(n.PID))
	}
	setup := load.NewSession(b.info, b.info.Registrars[0], b.info.Nodes[0].EPP)
	defer setup.Close()
	if err := setup.CreateHost(ctx, load.HostName); err != nil {
		return err
	}
	writing, stop := context.WithCancel(ctx)
	var writers sync.WaitGroup
	for i, n := range b.info.Nodes {
		writers.Go(func() { b.write(writing, n.EPP, fmt.Sprintf("w%d-%d", i, time.Now().Unix())) })
	}
	defer func() { stop(); writers.Wait() }()
	load.Pause(ctx, quiet)
	before, started := b.sent(ctx), time.Now()
	ended, err := b.join(ctx)
	if err != nil {
		return err
	}
	moved := b.sent(ctx) - before
	pid, caughtUp, err := b.follow(ctx)
	if err != nil {
		return err
	}
	load.Pause(ctx, quiet)
	fmt.Printf("join, from the command to its end:             %.1f s, %.0f MB sent by the others\n", ended.Sub(started).Seconds(), float64(moved)/1e6)
	fmt.Printf("start of the new node until it has caught up:  %.1f s\n", caughtUp.Sub(ended).Seconds())
	b.report("creates before the join:", time.Time{}, started)
	b.report("creates during the join:", started, ended)
	b.report("creates while it starts and after:", ended, time.Now())
	fmt.Printf("memory of the new node:  %d MB\n", residentMB(pid))
	for _, n := range b.info.Nodes {
		fmt.Printf("memory of %s at the end:  %d MB\n", n.ID, residentMB(n.PID))
	}
	return errors.Join(b.restart(ctx), syscall.Kill(pid, syscall.SIGTERM))
}

// write creates domains at a steady pace; one that is late does not delay the next.
func (b *bench) write(ctx context.Context, address, prefix string) {
	session := load.NewSession(b.info, b.info.Registrars[0], address)
	defer session.Close()
	ticker := time.NewTicker(b.every * time.Duration(len(b.info.Nodes)))
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		at := time.Now()
		if acknowledged, _ := session.Create(ctx, fmt.Sprintf("%s-%d.%s", prefix, i, b.info.TLDs[0]), load.HostName); acknowledged {
			b.mu.Lock()
			b.samples = append(b.samples, sample{at: at, took: time.Since(at)})
			b.mu.Unlock()
		}
	}
}

func (b *bench) report(label string, from, to time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var took load.Samples
	slow := 0
	for _, s := range b.samples {
		if s.at.After(from) && s.at.Before(to) {
			took = append(took, s.took)
			if s.took > stall {
				slow++
			}
		}
	}
	fmt.Printf("%-36s %v, %d above %v\n", label, took, slow, stall)
}

func (b *bench) address(service int) string {
	return devcluster.Address(b.port, newNode, service)
}

// join has a new node join and returns when that ended.
func (b *bench) join(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	token, err := b.prepare(ctx, "joining-"+strconv.FormatInt(time.Now().Unix(), 10), "")
	if err != nil {
		return time.Time{}, err
	}
	_, err = b.cluster.Run(ctx, "cluster", "join", "--config", b.config(), "--peer", b.info.Nodes[0].Admin, "--token", token)
	return time.Now(), err
}

// prepare makes the new node's certificate and settings, to which more is added, and returns
// a token for it.
func (b *bench) prepare(ctx context.Context, id, more string) (token string, err error) {
	home := filepath.Join(b.dir, "joining")
	if err := os.RemoveAll(home); err != nil {
		return "", err
	}
	if _, err := b.cluster.Run(ctx, "ca", "node", id, "--dir", filepath.Join(b.dir, "ca"), "--out", filepath.Join(home, "tls"), "--host", "127.0.0.1"); err != nil {
		return "", err
	}
	settings := fmt.Sprintf("node_id = %q\ndata_dir = \"data\"\n[tls]\nca = \"tls/ca.crt\"\ncert = \"tls/%[1]s.crt\"\nkey = \"tls/%[1]s.key\"\n", id)
	for section, port := range map[string]int{"raft": devcluster.PortRaft, "grpc": devcluster.PortAdmin, "epp": devcluster.PortEPP, "metrics": devcluster.PortMetrics} {
		settings += fmt.Sprintf("[%s]\nlisten = %q\n", section, b.address(port))
	}
	settings += fmt.Sprintf("[dns]\nlisten = [%q]\n[whois]\nlisten = \"\"\n[gossip]\nlisten = \"\"\n%s", b.address(devcluster.PortDNS), more)
	if err := os.WriteFile(b.config(), []byte(settings), 0o600); err != nil {
		return "", err
	}
	out, err := b.cluster.Run(ctx, "cluster", "token", "--role", "replica", "--dev", b.dir, "--json")
	_, rest, _ := strings.Cut(out, `"token": "`)
	token, _, _ = strings.Cut(rest, `"`)
	return token, err
}

func (b *bench) config() string { return filepath.Join(b.dir, "joining", "node.toml") }

// follow starts the new node and waits until it is ready.
func (b *bench) follow(ctx context.Context) (pid int, caughtUp time.Time, err error) {
	log, err := os.Create(filepath.Join(b.dir, "joining", "log"))
	if err != nil {
		return 0, time.Time{}, err
	}
	defer func() { _ = log.Close() }() // the process has its own handle
	server := exec.Command(b.bin, "server", "--config", b.config())
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		return 0, time.Time{}, err
	}
	go func() { _ = server.Wait() }() // it ends with the benchmark
	caughtUp, err = awaitReady(ctx, b.address(devcluster.PortMetrics))
	return server.Process.Pid, caughtUp, err
}

func awaitReady(ctx context.Context, metrics string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	for ctx.Err() == nil {
		if code, _, err := get(ctx, "http://"+metrics+"/readyz"); err == nil {
			if code == http.StatusOK {
				return time.Now(), nil
			}
		}
		load.Pause(ctx, 20*time.Millisecond)
	}
	return time.Time{}, fmt.Errorf("the node at %s did not become ready", metrics)
}

// restart kills a follower and measures until it serves again.
func (b *bench) restart(ctx context.Context) error {
	leader, err := load.Leader(ctx, b.cluster)
	if err != nil {
		return err
	}
	for _, n := range b.info.Nodes {
		if n.ID == leader {
			continue
		}
		if err := b.cluster.KillNode(ctx, n.ID); err != nil {
			return err
		}
		started := time.Now()
		if err := b.cluster.StartNode(ctx, n.ID); err != nil {
			return err
		}
		fmt.Printf("restart of %s after a kill, until it serves:   %.1f s\n", n.ID, time.Since(started).Seconds())
		return nil
	}
	return errors.New("there is no follower")
}

func get(ctx context.Context, url string) (code int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	content, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(content), errors.Join(err, resp.Body.Close())
}

// sent returns how many octets of checkpoints the nodes have sent.
func (b *bench) sent(ctx context.Context) (total int64) {
	for _, n := range b.info.Nodes {
		_, body, err := get(ctx, n.Metrics)
		if err != nil {
			continue // it is counted as none, which the figure shows
		}
		for line := range strings.Lines(body) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), "cadastre_seed_sent_bytes_total "); ok {
				octets, _ := strconv.ParseFloat(value, 64)
				total += int64(octets)
			}
		}
	}
	return total
}

// residentMB returns the memory of a process in megabytes, 0 if it is gone.
func residentMB(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(fields[0], 10, 64)
	return kib * 1024 / 1e6
}
