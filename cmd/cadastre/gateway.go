package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"

	"cadastre/cluster"
	"cadastre/epp"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// gateway is what the edges see of the cluster: a way to have commands committed, and views
// of this node's state at a chosen freshness.
type gateway struct {
	store     *store.Store
	forwarder *cluster.Forwarder
	standings sync.Map // registry.RegistrarID → keptStanding
}

// Propose commits a command through the leader, wherever it is.
func (g *gateway) Propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	return g.forwarder.Propose(ctx, command)
}

// View runs fn over one consistent state of this node, after catching up with everything
// acknowledged anywhere if the level asks for it.
func (g *gateway) View(ctx context.Context, level store.Consistency, fn func(*store.ReadTx) error) error {
	if level == store.Linearizable {
		if err := g.forwarder.Linearizable(ctx); err != nil {
			return err
		}
	}
	return g.store.View(fn)
}

// Standing returns how a registrar stands as this node has it. Every command asks, and the
// answer seldom changes, so that it is kept until something of its kind does.
func (g *gateway) Standing(_ context.Context, id registry.RegistrarID) (standing epp.Standing, err error) {
	version := g.store.RegistrarsVersion()
	if known, ok := g.standings.Load(id); ok {
		if kept, isStanding := known.(keptStanding); isStanding && kept.version == version {
			return kept.Standing, nil
		}
	}
	err = g.store.View(func(tx *store.ReadTx) error {
		standing = epp.StandingOf(tx, id)
		return nil
	})
	if err == nil && standing.Registrar != nil { // one for each registrar that there is
		g.standings.Store(id, keptStanding{Standing: standing, version: version})
	}
	return standing, err
}

// ViewFresh is View for the levels that need more than their name. fn finds the token with
// which a session goes on from here in tx.Applied.
func (g *gateway) ViewFresh(ctx context.Context, want store.Freshness, fn func(*store.ReadTx) error) error {
	if err := g.forwarder.Fresh(ctx, want); err != nil {
		return err
	}
	return g.store.View(fn)
}

// keptStanding is how a registrar stood at a version of the registrars' records.
type keptStanding struct {
	epp.Standing
	version uint64
}

// identifyRegistrar tells which registrar a verified client certificate stands for.
func identifyRegistrar(state tls.ConnectionState) (registrarID string, fingerprintSHA256 []byte, err error) {
	if len(state.PeerCertificates) == 0 {
		return "", nil, errors.New("the connection carries no client certificate")
	}
	id, err := cluster.ParseIdentity(state.PeerCertificates[0])
	if err != nil {
		return "", nil, err
	}
	if id.Kind != cluster.KindRegistrar {
		return "", nil, fmt.Errorf("the certificate is of a %s, not of a registrar", id.Kind)
	}
	return id.Name, cluster.Fingerprint(state.PeerCertificates[0]), nil
}
