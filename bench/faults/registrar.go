package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"cadastre/epp/eppclient"
	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
	"cadastre/internal/pause"
)

const (
	// answerTimeout bounds one command: the servers themselves give up after 30 seconds, but
	// a node that is cut off should not hold a registrar that long.
	answerTimeout = 8 * time.Second
	// retryPause keeps a registrar from asking a cluster without leader all the time.
	retryPause = 50 * time.Millisecond
	// Results of EPP (RFC 5730 section 3).
	codeDone   = 1000
	codeExists = 2302
)

// Registrar works as a careful registrar does: what has no definite answer is sent again
// through another node, until it is known.
type Registrar struct {
	info *devcluster.Info

	// Pace is the least time between two commands of one stream; set it before the work.
	Pace time.Duration
	// Attempts without a definite answer, and those among them that had been done.
	Unknown, DoneInSilence atomic.Int64
	// Reads are the linearizable reads that were answered.
	Reads atomic.Int64

	mu           sync.Mutex
	acknowledged []string
	violations   []string
	slowest      time.Duration
	lastAt       time.Time
}

// NewRegistrar returns a registrar at the cluster.
func NewRegistrar(info *devcluster.Info) *Registrar { return &Registrar{info: info} }

// Acknowledged returns the names that are known to be registered, in that order.
func (r *Registrar) Acknowledged() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.acknowledged...)
}

// Count returns how many names are known to be registered.
func (r *Registrar) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.acknowledged)
}

// Slowest returns the longest time from a command's first attempt to its definite answer.
func (r *Registrar) Slowest() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.slowest
}

// Violations returns every answer that breaks a promise.
func (r *Registrar) Violations() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for i, v := range r.violations {
		if i == 10 {
			errs = append(errs, fmt.Errorf("and %d more", len(r.violations)-i))
			break
		}
		errs = append(errs, errors.New(v))
	}
	return errors.Join(errs...)
}

func (r *Registrar) violation(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.violations = append(r.violations, fmt.Sprintf(format, args...))
}

// session opens a session with the node.
func (r *Registrar) session(ctx context.Context, node devcluster.Node) (*eppclient.Client, error) {
	account := r.info.Registrars[0]
	config, err := eppclient.LoadTLS(r.info.CA, account.Cert, account.Key)
	if err != nil {
		return nil, err
	}
	client, err := eppclient.Dial(ctx, eppclient.Config{Address: node.EPP, TLS: config, Timeout: answerTimeout})
	if err != nil {
		return nil, err
	}
	if err := client.Login(ctx, account.ID, account.Password); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return client, nil
}

// roaming is a session that moves on to another node when it breaks.
type roaming struct {
	registrar *Registrar
	at        int
	client    *eppclient.Client
}

// do sends the command; after an error or a failure of the server the next one goes to the
// next node.
func (s *roaming) do(ctx context.Context, body eppxml.Body) (*eppxml.ParsedResponse, error) {
	nodes := s.registrar.info.Nodes
	if s.client == nil {
		client, err := s.registrar.session(ctx, nodes[s.at%len(nodes)])
		if err != nil {
			s.at++
			return nil, &unsentError{err}
		}
		s.client = client
	}
	response, err := s.client.Do(context.WithoutCancel(ctx), body, "faults-1")
	if err != nil || response.Code() >= 2400 && response.Code() != 2302 {
		s.close()
		s.at++
	}
	return response, err
}

func (s *roaming) close() {
	if s.client != nil {
		_ = s.client.Close() // nothing is pending
		s.client = nil
	}
}

// unsentError means that no server got the command.
type unsentError struct{ error }

// Create registers names prefix-N one after the other, beginning at node number first, until
// ctx ends; the last one is finished.
func (r *Registrar) Create(ctx context.Context, prefix string, first int) {
	s := &roaming{registrar: r, at: first}
	defer s.close()
	for number := 0; ctx.Err() == nil; number++ {
		r.create(ctx, s, fmt.Sprintf("%s-%d.%s", prefix, number, r.info.TLDs[0]), false)
		if r.Pace > 0 {
			_ = pause.For(ctx, r.Pace) // cut short at the end
		}
	}
}

// createPatience is how long a definite answer is waited for: past it the cluster is stuck.
const createPatience = 2 * time.Minute

// settle registers a name that an earlier attempt may have registered.
func (r *Registrar) settle(ctx context.Context, s *roaming, name string) {
	r.create(ctx, s, name, true)
}

func (r *Registrar) create(ctx context.Context, s *roaming, name string, unknown bool) {
	started := time.Now()
	patient := context.WithoutCancel(ctx)
	for {
		response, err := s.do(patient, &eppxml.DomainCreate{Name: name, AuthInfo: &eppxml.AuthInfo{}})
		switch {
		case err == nil && response.Code() == codeDone, err == nil && unknown && response.Code() == codeExists:
			if response.Code() == codeExists {
				r.DoneInSilence.Add(1)
			}
			r.acknowledge(name, time.Since(started))
			return
		case err == nil && response.Code() < 2400:
			r.violation("create %s: %d %q", name, response.Code(), response.Results[0].Reasons)
			return
		}
		var unsent *unsentError
		if !errors.As(err, &unsent) {
			unknown = true
			r.Unknown.Add(1)
		}
		if ctx.Err() != nil && !unknown {
			return // nothing was promised about this one
		}
		if time.Since(started) > createPatience {
			r.violation("create %s: no definite answer within %s: %v", name, createPatience, err)
			return
		}
		_ = pause.For(patient, retryPause) // it is not cut short
	}
}

func (r *Registrar) acknowledge(name string, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acknowledged = append(r.acknowledged, name)
	r.slowest = max(r.slowest, took)
	r.lastAt = time.Now()
}

// Read asks random nodes about names that were acknowledged before, until ctx ends: whatever
// is answered must know them, however badly that node is connected.
func (r *Registrar) Read(ctx context.Context, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 2))
	s := &roaming{registrar: r, at: int(seed)}
	defer s.close()
	for ctx.Err() == nil {
		name := r.someName(random)
		if name == "" {
			_ = pause.For(ctx, retryPause) // until there is one
			continue
		}
		answered, known, err := s.knows(ctx, name)
		switch {
		case err != nil:
			_ = pause.For(ctx, retryPause) // the next node is tried
		case answered && !known:
			r.violation("a read of %s after its registration was acknowledged says that it is free", name)
		case answered:
			r.Reads.Add(1)
			_ = pause.For(ctx, max(r.Pace, time.Millisecond)) // cut short at the end
		}
		if random.IntN(50) == 0 {
			s.close()
			s.at++
		}
	}
}

// someName returns the newest name or any.
func (r *Registrar) someName(random *rand.Rand) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.acknowledged) == 0 {
		return ""
	}
	if random.IntN(2) == 0 {
		return r.acknowledged[len(r.acknowledged)-1]
	}
	return r.acknowledged[random.IntN(len(r.acknowledged))]
}

func (s *roaming) knows(ctx context.Context, name string) (answered, known bool, err error) {
	response, err := s.do(ctx, &eppxml.DomainCheck{Names: []string{name}})
	if err != nil || response.Code() != codeDone {
		return false, false, err
	}
	data := response.Data(eppxml.NSDomain, "chkData")
	if data == nil || len(data.Children) != 1 {
		return false, false, fmt.Errorf("the check of %s is answered without data", name)
	}
	available, _ := data.Children[0].Child("name").Attr("avail")
	return true, available == "0" || available == "false", nil
}
