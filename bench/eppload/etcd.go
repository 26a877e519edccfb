package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	systemEtcd = "etcd"
	etcdNodes  = 3
	// etcdStopTimeout is how long a node may take to stop before it is killed.
	etcdStopTimeout = 20 * time.Second
)

// etcdCluster is a running etcd cluster.
type etcdCluster struct {
	nodes     []*exec.Cmd
	logs      []*bytes.Buffer
	endpoints []string
}

// loadEtcd measures a fresh etcd cluster.
func loadEtcd(ctx context.Context, o *options) (results []result, err error) {
	dir, err := os.MkdirTemp("", "etcd-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	generator := filepath.Join(dir, "etcdload")
	build := exec.CommandContext(ctx, "go", "build", "-o", generator, ".")
	build.Dir = o.etcdLoad
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the load generator for etcd: %w: %s", err, out)
	}
	c, err := startEtcd(o.etcd, dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		stopErr := c.stop()
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, c.tail())
		}
		err = errors.Join(err, stopErr)
	}()
	for _, n := range o.concurrency {
		r, err := c.measurePuts(ctx, generator, n, o)
		if err != nil {
			return nil, fmt.Errorf("puts of %d callers: %w", n, err)
		}
		results = append(results, r)
	}
	return results, nil
}

func startEtcd(binary, dir string) (*etcdCluster, error) {
	ports, err := freePorts(2 * etcdNodes)
	if err != nil {
		return nil, err
	}
	c := &etcdCluster{}
	url := func(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }
	var members []string
	for i := range etcdNodes {
		members = append(members, fmt.Sprintf("e%d=%s", i, url(ports[etcdNodes+i])))
	}
	for i := range etcdNodes {
		client, peer := url(ports[i]), url(ports[etcdNodes+i])
		node := exec.Command(binary, "--name", fmt.Sprintf("e%d", i), "--data-dir", filepath.Join(dir, strconv.Itoa(i)),
			"--listen-client-urls", client, "--advertise-client-urls", client,
			"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
			"--initial-cluster", strings.Join(members, ","), "--initial-cluster-state", "new",
			"--initial-cluster-token", filepath.Base(dir), "--logger", "zap", "--log-level", "error")
		log := &bytes.Buffer{}
		node.Stdout, node.Stderr = log, log
		if err := node.Start(); err != nil {
			return nil, errors.Join(fmt.Errorf("start etcd: %w", err), c.stop())
		}
		c.nodes, c.logs, c.endpoints = append(c.nodes, node), append(c.logs, log), append(c.endpoints, client)
	}
	return c, nil
}

// freePorts finds ports that nobody listens on now.
func freePorts(count int) ([]int, error) {
	var ports []int
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = listener.Close() }() // nothing was accepted
		address, _ := listener.Addr().(*net.TCPAddr)
		ports = append(ports, address.Port)
	}
	return ports, nil
}

// measurePuts runs the load generator, which says when its window begins and ends.
func (c *etcdCluster) measurePuts(ctx context.Context, generator string, n int, o *options) (r result, err error) {
	command := exec.CommandContext(ctx, generator, "-endpoints", strings.Join(c.endpoints, ","), "-concurrency", strconv.Itoa(n),
		"-warmup", warmUp.String(), "-measured", o.measured.String())
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := command.Start(); err != nil {
		return r, err
	}
	w := &window{load: []int{command.Process.Pid}}
	for _, node := range c.nodes {
		w.nodes = append(w.nodes, node.Process.Pid)
	}
	var answer struct {
		Operations int     `json:"operations"`
		Seconds    float64 `json:"seconds"`
		P50Micros  float64 `json:"p50_us"`
		P99Micros  float64 `json:"p99_us"`
	}
	lines := bufio.NewScanner(out)
	var errs []error
	for lines.Scan() {
		switch lines.Text() {
		case "begin":
			errs = append(errs, w.begin())
		case "end":
			errs = append(errs, w.end())
		default:
			errs = append(errs, json.Unmarshal(lines.Bytes(), &answer))
		}
	}
	if err := command.Wait(); err != nil {
		errs = append(errs, fmt.Errorf("load etcd: %w: %s", err, complaints.String()))
	}
	if err := errors.Join(append(errs, lines.Err())...); err != nil {
		return r, err
	}
	r = result{
		System: systemEtcd, Operation: "put", Concurrency: n,
		PerSecond: float64(answer.Operations) / answer.Seconds, P50Micros: answer.P50Micros, P99Micros: answer.P99Micros,
	}
	w.fill(&r, answer.Operations)
	return r, nil
}

// stop ends the nodes.
func (c *etcdCluster) stop() error {
	var errs []error
	for _, node := range c.nodes {
		errs = append(errs, node.Process.Signal(syscall.SIGTERM))
	}
	for _, node := range c.nodes {
		kill := time.AfterFunc(etcdStopTimeout, func() { _ = node.Process.Kill() })
		_ = node.Wait() // etcd reports the signal as its end
		kill.Stop()
	}
	return errors.Join(errs...)
}

// tail returns the ends of the nodes' logs, once the nodes are stopped.
func (c *etcdCluster) tail() string {
	const tailOctets = 2000
	var text strings.Builder
	for i, log := range c.logs {
		content := log.Bytes()
		fmt.Fprintf(&text, "== etcd e%d\n%s\n", i, content[max(0, len(content)-tailOctets):])
	}
	return text.String()
}
