package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cadastre/epp/eppclient"
	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
	"cadastre/internal/pause"
)

const (
	// loadRetry is the pause before a lost session is opened anew.
	loadRetry = 20 * time.Millisecond
	// loadPatience bounds one command with everything that is tried for it.
	loadPatience = 60 * time.Second
)

// steadyLoad registers domains as a careful registrar does, one session for each node, and
// goes on when nodes stop: a session that was closed is opened again, on the next node if
// need be, and a command without an answer is sent again. What counts against the cluster
// is any answer but "done", "there already" after an attempt without an answer, and the
// goodbye of a server that stops.
type steadyLoad struct {
	info   *devcluster.Info
	create func(name string) eppxml.Body
	stop   func()

	goodbyes, silent, doneInSilence atomic.Int64
	slowest                         atomic.Int64 // nanoseconds from the first attempt to the answer

	mu       sync.Mutex
	done     []string
	failures []string
}

func startLoad(t *testing.T, info *devcluster.Info, nodes ...string) *steadyLoad {
	t.Helper()
	return startLoadOf(t, info, domainCreate, nodes...)
}

// startLoadOf is startLoad with creates of the test's own.
func startLoadOf(t *testing.T, info *devcluster.Info, create func(name string) eppxml.Body, nodes ...string) *steadyLoad {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &steadyLoad{info: info, create: create}
	var workers sync.WaitGroup
	for i := range nodes {
		workers.Go(func() { l.work(ctx, i, nodes) })
	}
	l.stop = sync.OnceFunc(func() {
		cancel()
		workers.Wait()
	})
	t.Cleanup(l.stop)
	return l
}

func (l *steadyLoad) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, fmt.Sprintf(format, args...))
}

func (l *steadyLoad) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.done)
}

// settle stops the load and returns what was registered, failing the test for every answer
// that a registrar would complain about.
func (l *steadyLoad) settle(t *testing.T) []string {
	t.Helper()
	l.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range l.failures {
		if i < 10 {
			t.Errorf("load: %s", f)
		}
	}
	t.Logf("load: %d registered, %d goodbyes, %d connections lost without an answer (%d of them done), slowest %s, %d failures",
		len(l.done), l.goodbyes.Load(), l.silent.Load(), l.doneInSilence.Load(), time.Duration(l.slowest.Load()).Round(time.Millisecond), len(l.failures))
	return l.done
}

func (l *steadyLoad) work(ctx context.Context, worker int, nodes []string) {
	at := worker
	var client *eppclient.Client
	defer func() {
		if client != nil {
			_ = client.Close() // nothing depends on it
		}
	}()
	for number := 0; ctx.Err() == nil; number++ {
		name := fmt.Sprintf("steady-%d-%d.example", worker, number)
		started, unanswered := time.Now(), false
		for attempt := 0; ; attempt++ {
			if time.Since(started) > loadPatience {
				l.fail("%s: no answer within %s", name, loadPatience)
				return
			}
			if client == nil {
				client = l.session(ctx, nodes[at%len(nodes)])
			}
			if client == nil {
				if ctx.Err() != nil {
					return
				}
				at++
				_ = pause.For(ctx, loadRetry) // cut short when the load ends
				continue
			}
			response, err := client.Do(context.Background(), l.create(name), "steady-1")
			if err == nil && response.Code() == 1000 || err == nil && unanswered && response.Code() == 2302 {
				if response.Code() == 2302 {
					l.doneInSilence.Add(1)
				}
				break
			}
			switch {
			case err != nil:
				l.silent.Add(1)
				unanswered = true
			case isGoodbye(response):
				l.goodbyes.Add(1)
			default:
				l.fail("create %s on %s: %d %q", name, nodes[at%len(nodes)], response.Code(), response.Results[0].Reasons)
				return
			}
			_ = client.Close() // it ended
			client, at = nil, at+1
		}
		if took := int64(time.Since(started)); took > l.slowest.Load() {
			l.slowest.Store(took)
		}
		l.mu.Lock()
		l.done = append(l.done, name)
		l.mu.Unlock()
	}
}

// isGoodbye says whether the answer is that of a server that stops, which did nothing.
func isGoodbye(response *eppxml.ParsedResponse) bool {
	return response.Code() == 2500 && strings.Contains(strings.Join(response.Results[0].Reasons, " "), "the server is stopping")
}

// session opens a session with the node, nil if that is down.
func (l *steadyLoad) session(ctx context.Context, nodeID string) *eppclient.Client {
	node, err := l.info.Node(nodeID)
	if err != nil {
		l.fail("%v", err)
		return nil
	}
	registrar := l.info.Registrars[0]
	config, err := eppclient.LoadTLS(l.info.CA, registrar.Cert, registrar.Key)
	if err != nil {
		l.fail("%v", err)
		return nil
	}
	client, err := eppclient.Dial(ctx, eppclient.Config{Address: node.EPP, TLS: config, Timeout: faultTimeout})
	if err != nil {
		return nil
	}
	if err := client.Login(ctx, registrar.ID, registrar.Password); err != nil {
		_ = client.Close() // the error is what counts
		if refused, ok := errors.AsType[*eppclient.RefusedError](err); ok && !isGoodbye(refused.Response) {
			l.fail("login on %s: %v", nodeID, err)
		}
		return nil
	}
	return client
}
