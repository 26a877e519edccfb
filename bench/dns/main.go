// Command dns measures the name server beside NSD and Knot (Debian: nsd, knot, dnsperf) on the same zone with the same
// questions, each server alone on one processor and the load on another, and a Go program that only echoes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"cadastre/bench/load"
	"cadastre/internal/nameserver"
)

const (
	serverCPU   = "0"
	loadCPU     = "1"
	clients     = "8"
	startWait   = 3 * time.Minute // a million delegations take NSD half a minute
	clockTick   = 100             // of /proc/PID/stat, fixed on Linux
	zoneFile    = "example.zone"
	queriesFile = "queries"
	ownersFile  = "owners"

	// publishing is the name server while registrations are published at publishRate a second.
	publishing  = "cadastre+publications"
	publishRate = 500
)

func main() { os.Exit(load.Main("dns", run)) }

type settings struct {
	delegations, runs, seconds, echoSize int
	dir, only                            string
}

func run(ctx context.Context) error {
	var s settings
	flag.IntVar(&s.delegations, "delegations", 1_000_000, "delegations in the zone")
	flag.IntVar(&s.runs, "runs", 5, "runs of each server, in turn")
	flag.IntVar(&s.seconds, "seconds", 5, "length of a run")
	flag.IntVar(&s.echoSize, "echo-size", 0, "octets of the echo's answers; 0: the mean of the name server's")
	flag.StringVar(&s.dir, "dir", "", "folder of zone and questions, kept; default a temporary one")
	flag.StringVar(&s.only, "only", "cadastre,"+publishing+",nsd,knot,echo", "servers to measure")
	listen := flag.String("serve", "", "be the name server on this address (used by the benchmark itself)")
	echoOn := flag.String("echo", "", "be the echo on this address (used by the benchmark itself)")
	rounds := flag.Int("respond", 0, "measure the responder alone, without sockets, so many times")
	profile := flag.String("cpuprofile", "", "with -serve and -respond: write a profile here")
	publish := flag.Int("publish", 0, "with -serve: registrations a second to publish")
	flag.Parse()
	source := &benchSource{file: filepath.Join(s.dir, ownersFile), perSecond: *publish, serial: 1}
	switch {
	case *listen != "":
		return serve(ctx, *listen, source, s.delegations, *profile)
	case *echoOn != "":
		return echo(ctx, *echoOn, s.echoSize)
	}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "cadastre-bench-dns-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }() // temporary
		s.dir = dir
	}
	if err := prepare(&s); err != nil {
		return err
	}
	if *rounds > 0 {
		source.file = filepath.Join(s.dir, ownersFile)
		return respond(ctx, *rounds, source, s.delegations, *profile)
	}
	return measure(ctx, &s)
}

// prepare writes zone and questions unless they are there.
func prepare(s *settings) error {
	for name, write := range map[string]func(f *os.File) error{
		zoneFile:    func(f *os.File) error { return writeZone(f, s.delegations) },
		ownersFile:  func(f *os.File) error { return writeOwners(f, s.delegations) },
		queriesFile: func(f *os.File) error { return writeQueries(f, s.delegations) },
	} {
		path := filepath.Join(s.dir, name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}

// result is one run.
type result struct {
	perSecond, perCPUSecond, lostPercent float64
	meanOctets                           float64
	latency                              string
}

// server is a running name server.
type server struct {
	*nameserver.Process
	name string
	runs []result
	// Medians of the runs.
	perSecond, perCPUSecond float64
}

func measure(ctx context.Context, s *settings) error {
	var servers []*server
	defer func() {
		for _, srv := range servers {
			srv.Stop()
		}
	}()
	for _, name := range strings.Split(s.only, ",") {
		if name == "echo" && s.echoSize == 0 {
			s.echoSize = meanSize(ctx, servers, s)
		}
		srv, err := start(ctx, name, s)
		if err != nil {
			return err
		}
		if srv != nil {
			servers = append(servers, srv)
		}
	}
	for range s.runs {
		for _, srv := range servers {
			r, err := srv.load(ctx, s, "")
			if err != nil {
				return err
			}
			srv.runs = append(srv.runs, r)
		}
	}
	fmt.Printf("| server | answers a second | a second of its processor | lost | octets | at half load | resident |\n|---|---|---|---|---|---|---|\n")
	for _, srv := range servers {
		median := func(of func(r *result) float64) float64 {
			var values []float64
			for i := range srv.runs {
				values = append(values, of(&srv.runs[i]))
			}
			slices.Sort(values)
			return values[len(values)/2]
		}
		qps := median(func(r *result) float64 { return r.perSecond })
		half, err := srv.load(ctx, s, strconv.Itoa(int(qps/2)))
		if err != nil {
			return err
		}
		srv.perSecond, srv.perCPUSecond = qps, median(func(r *result) float64 { return r.perCPUSecond })
		fmt.Printf("| %s | %.0f | %.0f | %.3f %% | %.0f | %s | %d MB |\n", srv.name, qps, srv.perCPUSecond,
			median(func(r *result) float64 { return r.lostPercent }), srv.runs[0].meanOctets, half.latency, srv.residentMB())
	}
	compare(servers)
	return nil
}

// compare prints what the aims are about: ratios of medians, by the clock and by the servers' own processor time.
func compare(servers []*server) {
	var ours, published, echo, best *server
	for _, srv := range servers {
		switch srv.name {
		case "cadastre":
			ours = srv
		case publishing:
			published = srv
		case "echo":
			echo = srv
		default:
			if best == nil || srv.perSecond > best.perSecond {
				best = srv
			}
		}
	}
	if ours == nil {
		return
	}
	fmt.Printf("\n%s", ours.Log()) // its load time and memory
	ratio := func(what, aim string, a, b *server) {
		if a != nil && b != nil {
			fmt.Printf("%s: %.2f by the clock, %.2f by processor time (aim %s)\n", what, a.perSecond/b.perSecond, a.perCPUSecond/b.perCPUSecond, aim)
		}
	}
	ratio("cadastre to the better of the others", "1.3", ours, best)
	ratio("cadastre to the echo", "0.75", ours, echo)
	ratio(fmt.Sprintf("cadastre with %d registrations a second to itself without", publishRate), "0.9", published, ours)
}

// meanSize is the mean answer of the first server.
func meanSize(ctx context.Context, servers []*server, s *settings) int {
	const usual = 450
	if len(servers) == 0 {
		return usual
	}
	short := *s
	short.seconds = 1
	r, err := servers[0].load(ctx, &short, "")
	if err != nil {
		return usual
	}
	return int(r.meanOctets)
}

func start(ctx context.Context, name string, s *settings) (*server, error) {
	config, err := command(name, s)
	if err != nil {
		return nil, err
	}
	if config.Command == nil {
		fmt.Printf("SKIPPED: %s is not installed\n", name)
		return nil, nil
	}
	config.Name, config.Command = name, append([]string{"taskset", "-c", serverCPU}, config.Command...)
	client := &dns.Client{Timeout: time.Second}
	query := new(dns.Msg).SetQuestion(domainName(0)+".", dns.TypeNS)
	config.Ready = func(ctx context.Context, address string) error {
		r, _, err := client.ExchangeContext(ctx, query, address)
		if err == nil && (!r.Response || name != "echo" && (r.Rcode != dns.RcodeSuccess || len(r.Ns) == 0)) {
			err = errors.New("it does not serve the zone")
		}
		return err
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	process, err := nameserver.Start(ctx, config)
	if err != nil {
		return nil, err
	}
	fmt.Printf("%s serves after %s\n", name, time.Since(begun).Round(time.Millisecond))
	return &server{Process: process, name: name}, nil
}

// command returns what to run; without a command if it is not installed.
func command(name string, s *settings) (nameserver.Config, error) {
	self, err := os.Executable()
	if err != nil {
		return nameserver.Config{}, err
	}
	file, err := filepath.Abs(filepath.Join(s.dir, zoneFile))
	if err != nil {
		return nameserver.Config{}, err
	}
	work, err := filepath.Abs(filepath.Join(s.dir, name))
	if err != nil {
		return nameserver.Config{}, err
	}
	if err := os.MkdirAll(work, 0o700); err != nil {
		return nameserver.Config{}, err
	}
	installed := func(program string, args ...string) []string {
		if path := nameserver.Find(program); path != "" {
			return append([]string{path}, args...)
		}
		return nil
	}
	config := nameserver.Config{Dir: work}
	switch name {
	case "cadastre", publishing:
		config.Command = []string{self, "-serve", "127.0.0.1:PORT", "-delegations", strconv.Itoa(s.delegations), "-dir", s.dir}
		if name == publishing {
			config.Command = append(config.Command, "-publish", strconv.Itoa(publishRate))
		}
	case "echo":
		config.Command = []string{self, "-echo", "127.0.0.1:PORT", "-echo-size", strconv.Itoa(s.echoSize)}
	case "nsd":
		config.Text = fmt.Sprintf("server:\n  ip-address: 127.0.0.1@PORT\n  username: \"\"\n  zonesdir: \"DIR\"\n  pidfile: \"DIR/nsd.pid\"\n  xfrdfile: \"DIR/xfrd.state\"\n  zonelistfile: \"DIR/zone.list\"\n"+
			"  database: \"\"\n  server-count: 1\n  minimal-responses: yes\n  ipv4-edns-size: 1232\n  rrl-ratelimit: 0\nremote-control:\n  control-enable: no\n"+
			"zone:\n  name: %s\n  zonefile: %q\n", apex, file)
		config.Command = installed("nsd", "-d", "-c")
	case "knot":
		config.Text = fmt.Sprintf("server:\n  rundir: \"DIR\"\n  listen: 127.0.0.1@PORT\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\ndatabase:\n  storage: \"DIR\"\n"+
			"template:\n  - id: default\n    semantic-checks: off\n    journal-content: none\n    zonefile-load: whole\nzone:\n  - domain: %s\n    file: %q\n", apex, file)
		config.Command = installed("knotd", "-c")
	default:
		return nameserver.Config{}, fmt.Errorf("no server %q", name)
	}
	return config, nil
}

// pids are the server's process and its children.
func (s *server) pids() []int {
	pids := []int{s.PID()}
	for i := 0; i < len(pids); i++ {
		list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pids[i], pids[i]))
		if err != nil {
			continue
		}
		for _, f := range strings.Fields(string(list)) {
			if pid, err := strconv.Atoi(f); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func (s *server) cpuSeconds() (sum float64) {
	for _, pid := range s.pids() {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		const utime, stime = 11, 12
		for _, i := range []int{utime, stime} {
			ticks, _ := strconv.ParseFloat(fields[i], 64)
			sum += ticks / clockTick
		}
	}
	return sum
}

func (s *server) residentMB() (mb int) {
	for _, pid := range s.pids() {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		if m := regexp.MustCompile(`VmRSS:\s+(\d+)`).FindSubmatch(status); m != nil {
			kb, _ := strconv.Atoi(string(m[1]))
			mb = max(mb, kb>>10)
		}
	}
	return mb
}

// load asks for a while and parses what dnsperf says.
func (s *server) load(ctx context.Context, set *settings, maxPerSecond string) (result, error) {
	args := []string{"-c", loadCPU, "dnsperf", "-s", "127.0.0.1", "-p", strconv.Itoa(s.Port()), "-d", filepath.Join(set.dir, queriesFile),
		"-c", clients, "-T", "1", "-l", strconv.Itoa(set.seconds), "-D", "-b", "1024", "-t", "2"}
	if maxPerSecond != "" {
		args = append(args, "-Q", maxPerSecond, "-v")
	}
	before := s.cpuSeconds()
	out, err := exec.CommandContext(ctx, "taskset", args...).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("dnsperf against %s: %w\n%s", s.name, err, out)
	}
	used := s.cpuSeconds() - before
	number := func(pattern string) float64 {
		if m := regexp.MustCompile(pattern).FindSubmatch(out); m != nil {
			v, _ := strconv.ParseFloat(string(m[1]), 64)
			return v
		}
		return 0
	}
	completed := number(`Queries completed:\s+(\d+)`)
	r := result{perSecond: number(`Queries per second:\s+([\d.]+)`), perCPUSecond: completed / max(used, 0.01),
		lostPercent: 100 * number(`Queries lost:\s+(\d+)`) / max(number(`Queries sent:\s+(\d+)`), 1), meanOctets: number(`Average packet size:\s+request \d+, response (\d+)`)}
	r.latency = fmt.Sprintf("mean %.0f µs, p99 %s", 1e6*number(`Average Latency \(s\):\s+([\d.]+)`), quantile(string(out)))
	return r, nil
}

// quantile finds the 99th percentile of the times of single queries: lines "> NOERROR name type seconds".
func quantile(out string) string {
	var seconds []float64
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "> ") {
			continue
		}
		fields := strings.Fields(line)
		if v, err := strconv.ParseFloat(fields[len(fields)-1], 64); err == nil {
			seconds = append(seconds, v)
		}
	}
	if len(seconds) == 0 {
		return "unknown"
	}
	slices.Sort(seconds)
	return fmt.Sprintf("%.0f µs", 1e6*seconds[len(seconds)*99/100])
}
