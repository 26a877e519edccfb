package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"cadastre/bench/load"
	"cadastre/epp/eppclient"
	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
)

const (
	systemCadastre = "cadastre"
	// concurrentLogins keeps the password checks of all nodes busy and no more.
	concurrentLogins = 12
	// creditLimit pays for a hundred million creates; a dev cluster's is for as many as a
	// person can type.
	creditLimit = "1000000000.00"
	// label begins every name of the load; a number of labelDigits follows.
	label = "load-"
)

// cadastreLoad is a running cluster and the sessions on it.
type cadastreLoad struct {
	info     *devcluster.Info
	leader   string
	pids     []int
	sessions map[string][]*connection // by node
	created  atomic.Int64
}

// loadCadastre measures a fresh Cadastre cluster.
func loadCadastre(ctx context.Context, o *options) (results []result, err error) {
	err = load.WithCluster(ctx, o.bin, func(ctx context.Context, c *devcluster.Cluster, info *devcluster.Info) error {
		l := &cadastreLoad{info: info, sessions: map[string][]*connection{}}
		defer l.close()
		if err := l.prepare(ctx, c, o); err != nil {
			return err
		}
		for _, n := range o.concurrency {
			r, err := l.measureCreates(ctx, n, o)
			if err != nil {
				return fmt.Errorf("creates of %d sessions: %w", n, err)
			}
			results = append(results, r)
		}
		if o.reads == 0 {
			return nil
		}
		reads, err := l.measureReads(ctx, o)
		results = append(results, reads...)
		return err
	})
	return results, err
}

func (l *cadastreLoad) prepare(ctx context.Context, c *devcluster.Cluster, o *options) error {
	for _, r := range l.info.Registrars {
		if _, err := c.Run(ctx, "registrar", "set", r.ID, "--credit-limit", creditLimit, "--dev", c.Dir()); err != nil {
			return err
		}
	}
	var err error
	if l.leader, err = load.Leader(ctx, c); err != nil {
		return err
	}
	for _, node := range l.info.Nodes {
		l.pids = append(l.pids, node.PID)
	}
	most := o.reads * len(l.info.Nodes) / max(1, len(l.info.Nodes)-1)
	for _, n := range o.concurrency {
		most = max(most, n)
	}
	return l.login(ctx, (most+len(l.info.Nodes)-1)/len(l.info.Nodes))
}

// login opens sessions on every node, in turn for each registrar.
func (l *cadastreLoad) login(ctx context.Context, perNode int) error {
	configs := make([]*tls.Config, len(l.info.Registrars))
	for i, r := range l.info.Registrars {
		var err error
		if configs[i], err = eppclient.LoadTLS(l.info.CA, r.Cert, r.Key); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrentLogins)
	for _, node := range l.info.Nodes {
		sessions := make([]*connection, perNode)
		l.sessions[node.ID] = sessions
		for i := range sessions {
			group.Go(func() (err error) {
				which := i % len(configs)
				sessions[i], err = dial(ctx, configs[which], node.EPP, l.info.Registrars[which])
				return err
			})
		}
	}
	return group.Wait()
}

func (l *cadastreLoad) close() {
	for _, sessions := range l.sessions {
		for _, s := range sessions {
			if s != nil {
				_ = s.conn.Close() // the sessions are idle
			}
		}
	}
}

// measureCreates registers domains through all nodes. Callers that are fewer than the nodes
// change the node with each call, as the Go client of etcd does.
func (l *cadastreLoad) measureCreates(ctx context.Context, n int, o *options) (result, error) {
	callers := make([]func() error, n)
	for i := range callers {
		frame, err := newNumbered(newFrame(&eppxml.DomainCreate{
			Name: l.name(), NS: &eppxml.NameServers{HostObjs: []string{load.HostName}}, AuthInfo: &eppxml.AuthInfo{},
		}), label+zeros())
		if err != nil {
			return result{}, err
		}
		calls := i
		callers[i] = func() error {
			node := l.info.Nodes[calls%len(l.info.Nodes)].ID
			if n < len(l.info.Nodes) {
				calls++
			}
			return expect(l.sessions[node][i/len(l.info.Nodes)], frame.with(int(l.created.Add(1))))
		}
	}
	return measure(ctx, "create", callers, l.pids, o)
}

// measureReads asks the followers for domains that exist.
func (l *cadastreLoad) measureReads(ctx context.Context, o *options) ([]result, error) {
	if l.created.Load() == 0 {
		if _, err := l.measureCreates(ctx, min(o.reads, len(l.info.Nodes)), &options{measured: warmUp}); err != nil {
			return nil, err
		}
	}
	var followers []*connection
	for i := range l.sessions[l.leader] {
		for _, node := range l.info.Nodes {
			if node.ID != l.leader && len(followers) < o.reads {
				followers = append(followers, l.sessions[node.ID][i])
			}
		}
	}
	var results []result
	for _, read := range []struct {
		operation string
		body      eppxml.Body
	}{
		{"check", &eppxml.DomainCheck{Names: []string{l.name()}}},
		{"info", &eppxml.DomainInfo{Name: l.name()}},
	} {
		callers := make([]func() error, len(followers))
		for i, session := range followers {
			frame, err := newNumbered(newFrame(read.body), label+zeros())
			if err != nil {
				return nil, err
			}
			known, next := int(l.created.Load()), i
			callers[i] = func() error {
				next = (next + len(followers)) % known
				return expect(session, frame.with(next+1))
			}
		}
		r, err := measure(ctx, read.operation, callers, l.pids, o)
		if err != nil {
			return nil, fmt.Errorf("%s of %d sessions: %w", read.operation, len(followers), err)
		}
		results = append(results, r)
	}
	return results, nil
}

// name is what stands in a frame before it is given a number.
func (l *cadastreLoad) name() string { return label + zeros() + "." + l.info.TLDs[0] }

func zeros() string { return fmt.Sprintf("%0*d", labelDigits, 0) }

var errRefused = errors.New("the command was refused")

func expect(c *connection, frame []byte) error {
	code, err := c.exchange(frame)
	if err == nil && code != 1000 {
		err = fmt.Errorf("%w: %s", errRefused, c.answer)
	}
	return err
}
