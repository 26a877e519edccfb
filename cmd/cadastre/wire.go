package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"cadastre/cluster"
	"cadastre/dnsedge"
	"cadastre/epp"
	"cadastre/fsm"
	"cadastre/keystore"
	"cadastre/publisher"
	"cadastre/raftnode"
	"cadastre/rdap"
	"cadastre/store"
	"cadastre/whois"
)

// node is one running node: everything that runServer builds, in the order in which it is
// built.
type node struct {
	cfg       *Config
	logger    *slog.Logger
	bootEpoch uint64
	creds     *cluster.Credentials
	store     *store.Store
	raft      *raftnode.Node
	peers     *cluster.Peers
	fetcher   *cluster.Fetcher
	server    *cluster.Server
	gossip    *cluster.Gossip // nil if switched off
	forwarder *cluster.Forwarder
	grpc      net.Listener
	// keys are the private halves of the zones' keys on this node; alarms say which zones it cannot publish.
	keys      *keystore.Keys
	token     *keystore.Token // nil: none
	custodian *cluster.KeyCustodian
	alarms    publisher.Alarms
	// Edges are nil if switched off.
	epp     *epp.Server
	whois   *whois.Server
	rdap    *rdap.Server
	dns     *dnsedge.Server
	metrics net.Listener
	// published wakes the DNS edge; it lives as long as the node.
	published *raftnode.Subscription

	// fatal carries the first error after which the process must end at once.
	fatal chan error
	// removed carries the reason if this node was removed from its cluster.
	removed chan string
	// fenced is set once the state is known to be wrong.
	fenced atomic.Bool
}

func (n *node) newMachine() *fsm.Machine { return fsm.New(n.store) }

// runServer builds a node, runs it until ctx ends and stops it in order.
func runServer(ctx context.Context, cfg *Config, log io.Writer) error {
	logger, err := newLogger(&cfg.Log, log)
	if err != nil {
		return err
	}
	n := &node{
		cfg: cfg, logger: logger.With("node", cfg.NodeID), bootEpoch: uint64(time.Now().UnixNano()),
		fatal: make(chan error, 1), removed: make(chan string, 1),
	}
	if err := n.loadIdentity(); err != nil {
		return err
	}
	unlock, err := lockDataDir(cfg)
	if err != nil {
		return err
	}
	defer unlock()
	if err := n.openState(); err != nil {
		return err
	}
	if err := n.openAll(ctx); err != nil {
		n.closeListeners()
		return errors.Join(err, n.store.Close())
	}
	return n.run(ctx)
}

// openAll builds every part and binds every port, so that a port in use shows before
// anything is served. It starts nothing.
func (n *node) openAll(ctx context.Context) error {
	hints := func() []cluster.Hint {
		if n.gossip == nil {
			return nil
		}
		return n.gossip.Peers()
	}
	n.peers = cluster.NewPeers(n.creds, cluster.StateAddresses(n.store, hints))
	if _, err := cluster.ApplyTrust(n.store, n.creds, 0); err != nil {
		return err
	}
	if err := n.openKeys(); err != nil {
		return err
	}
	confirm := func(ctx context.Context, nodeID string, term uint64) error {
		return n.peers.ConfirmTerm(ctx, nodeID, n.cfg.NodeID, term)
	}
	n.fetcher = cluster.NewFetcher(cluster.FetcherConfig{
		NodeID: n.cfg.NodeID, ClusterID: n.creds.ClusterID(), Peers: n.peers, Store: n.store,
		BytesPerSecond: n.cfg.Seed.receiveBytes(), Log: n.logger.With("part", "seed"),
	})
	if err := n.openRaft(confirm); err != nil {
		return err
	}
	n.forwarder = cluster.NewForwarder(cluster.ForwarderConfig{
		NodeID: n.cfg.NodeID, BootEpoch: n.bootEpoch, Raft: n.raft, Peers: n.peers,
	})
	var err error
	if n.grpc, err = net.Listen("tcp", n.cfg.GRPC.Listen); err != nil {
		return portError("grpc", "grpc.listen", n.cfg.GRPC.Listen, err)
	}
	if err := n.openGossip(); err != nil {
		return err
	}
	return n.openEdges(ctx)
}

func (n *node) openEdges(ctx context.Context) (err error) {
	gateway := &gateway{store: n.store, forwarder: n.forwarder}
	if n.cfg.EPP.Listen != "" {
		n.epp, err = epp.New(epp.Config{
			Addr: n.cfg.EPP.Listen, TLS: n.creds.RegistrarServerTLS(), Identify: identifyRegistrar,
			ServerID: eppServerID(n.cfg.NodeID), NodeID: n.cfg.NodeID, BootEpoch: n.bootEpoch,
			Proposer: gateway, Reader: gateway, Logger: n.logger.With("service", "epp"), Now: time.Now,
		})
		if err != nil {
			return err
		}
		if err := n.epp.Listen(ctx); err != nil {
			return portError("epp", "epp.listen", n.cfg.EPP.Listen, err)
		}
	}
	if n.cfg.WHOIS.Listen != "" {
		n.whois = whois.New(whois.Config{Address: n.cfg.WHOIS.Listen, Viewer: n.store, Logger: n.logger.With("service", "whois"), Limit: n.cfg.WHOIS.RateLimit.limit()})
		if err := n.whois.Listen(); err != nil {
			return portError("whois", "whois.listen", n.cfg.WHOIS.Listen, err)
		}
	}
	if n.cfg.RDAP.Listen != "" {
		if err := n.openRDAP(gateway); err != nil {
			return err
		}
	}
	if len(n.cfg.DNS.Listen) > 0 {
		n.published = n.raft.Subscribe()
		if n.dns, err = n.newDNS(); err != nil {
			return err
		}
		if err := n.dns.Listen(ctx); err != nil {
			return portError("dns", "dns.listen", strings.Join(n.cfg.DNS.Listen, " or "), err)
		}
	}
	if n.cfg.Metrics.Listen != "" {
		if n.metrics, err = net.Listen("tcp", n.cfg.Metrics.Listen); err != nil {
			return portError("metrics", "metrics.listen", n.cfg.Metrics.Listen, err)
		}
	}
	return nil
}

// eppServerID names the server in greetings: 3 to 64 characters (RFC 5730 section 2.4), of
// which a node id may take 63.
func eppServerID(nodeID string) string {
	id := "cadastre " + nodeID
	return id[:min(len(id), 64)]
}

// closeListeners releases the parts of a node that will not run.
func (n *node) closeListeners() {
	for _, listener := range []net.Listener{n.grpc, n.metrics} {
		if listener != nil {
			_ = listener.Close() // nothing was accepted
		}
	}
	if n.raft != nil {
		_ = n.raft.Close() // it never ran
	}
	if n.epp != nil {
		n.epp.Close()
	}
	if n.rdap != nil {
		n.rdap.Close()
	}
	if n.dns != nil {
		n.dns.Close()
	}
	_ = n.peers.Close() // nothing was called
}

// portError explains a port that could not be taken: which service, address and key.
func portError(service, key, address string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: the address %s (key %q) is in use by another process", service, address, key)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: not allowed to listen on %s (key %q)", service, address, key)
	default:
		return fmt.Errorf("%s (key %q): %w", service, key, err)
	}
}
