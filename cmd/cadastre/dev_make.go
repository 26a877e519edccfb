package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
	"cadastre/internal/devcluster"
	"cadastre/registry"
)

const (
	// devStartTimeout bounds the start of a whole cluster on a busy machine.
	devStartTimeout = 2 * time.Minute
	// devTokenLifetime is long enough for one join.
	devTokenLifetime = 5 * time.Minute
	// devCredit is what the registrars of a dev cluster may spend.
	devCredit = "1000000.00"
)

// makeCluster makes a new cluster: authority, nodes, TLDs, registrars.
func (d *devCluster) makeCluster(ctx context.Context, tlds []*registry.TLD, clock clockMode) error {
	if err := d.clearLeftovers(); err != nil {
		return err
	}
	if err := d.saveSettings(); err != nil {
		return err
	}
	ca, err := cluster.InitCA(d.path(devCADir), "")
	if err != nil {
		return err
	}
	d.settings.ClusterID = ca.ClusterID()
	if err := d.issueClients(ca); err != nil {
		return err
	}
	for _, m := range d.members() {
		if err := d.prepareNode(ca, m); err != nil {
			return err
		}
	}
	first := d.members()[0]
	if err := d.initFirst(ctx, first, clock); err != nil {
		return fmt.Errorf("node %s: %w", first.id(), err)
	}
	client, err := d.waitAdmin(ctx, first)
	if err != nil {
		return err
	}
	defer client.close()
	if err := d.fillCluster(ctx, client, tlds); err != nil {
		return err
	}
	for _, m := range d.members()[1:] {
		if err := d.join(ctx, client, m, d.settings.address(first, devcluster.PortAdmin)); err != nil {
			return fmt.Errorf("node %s: %w", m.id(), err)
		}
	}
	if err := d.waitReady(ctx); err != nil {
		return err
	}
	d.settings.Complete = true
	return d.saveSettings()
}

// clearLeftovers removes what an interrupted first start left, and refuses folders that
// hold anything else.
func (d *devCluster) clearLeftovers() error {
	previous, err := loadDevSettings(d.dir)
	if err != nil {
		return err
	}
	if previous != nil {
		for _, m := range previous.Members {
			if err := os.RemoveAll(d.path(m.id())); err != nil {
				return err
			}
		}
		return errors.Join(os.RemoveAll(d.path(devCADir)), os.RemoveAll(d.path(devCertsDir)))
	}
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() != devLockFile && entry.Name() != filepath.Base(devSocketPath(d.dir)) {
			return fmt.Errorf("%s is not empty and holds no dev cluster (found %q); use another folder", d.dir, entry.Name())
		}
	}
	return nil
}

// issueClients makes the certificates of the operator and the registrars.
func (d *devCluster) issueClients(ca *cluster.CA) error {
	operator, err := ca.Issue(cluster.KindOperator, devOperator, nil, cluster.DefaultOperatorLifetime)
	if err != nil {
		return err
	}
	if err := operator.Write(d.path(devCertsDir)); err != nil {
		return err
	}
	for id := range d.settings.Registrars {
		bundle, err := ca.Issue(cluster.KindRegistrar, id, nil, cluster.DefaultClientLifetime)
		if err != nil {
			return err
		}
		if err := bundle.Write(d.path(devCertsDir)); err != nil {
			return err
		}
	}
	return nil
}

// initFirst makes the state of the cluster on the first node and starts it.
func (d *devCluster) initFirst(ctx context.Context, m devMember, clock clockMode) error {
	err := d.withLog(m, func(cfg *Config, log *os.File) error {
		_, err := initCluster(ctx, cfg, clock, log)
		return err
	})
	if err != nil {
		return err
	}
	return d.start(m)
}

// join brings a new node in with a token and starts it.
func (d *devCluster) join(ctx context.Context, client *admin, m devMember, peer string) error {
	response, err := client.CreateToken(ctx, &clusterpb.CreateTokenRequest{
		Role: uint32(m.Role), LifetimeSeconds: int64(devTokenLifetime / time.Second), Reason: "cadastre dev",
	})
	if err != nil {
		return plainError(err)
	}
	err = d.withLog(m, func(cfg *Config, log *os.File) error {
		_, err := joinCluster(ctx, cfg, peer, response.GetToken(), log, nil)
		return err
	})
	if err != nil {
		return err
	}
	return d.start(m)
}

// withLog runs fn with the node's configuration and its log.
func (d *devCluster) withLog(m devMember, fn func(cfg *Config, log *os.File) error) error {
	cfg, err := loadConfig(d.configPath(m))
	if err != nil {
		return err
	}
	log, err := os.OpenFile(d.logPath(m), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	return errors.Join(fn(cfg, log), log.Close())
}

// fillCluster makes the TLDs and the registrars.
func (d *devCluster) fillCluster(ctx context.Context, client *admin, tlds []*registry.TLD) error {
	for _, tld := range tlds {
		if _, err := applyTLD(ctx, client, tld, "cadastre dev"); err != nil {
			return fmt.Errorf("make .%s: %w", tld.Name, err)
		}
	}
	var group errgroup.Group
	for id, password := range d.settings.Registrars {
		group.Go(func() error {
			_, err := createRegistrar(ctx, client, &registrarSpec{
				id: id, name: "Registrar " + id, email: id + "@registrar.invalid", password: password,
				certificates: []string{cluster.PathsIn(d.path(devCertsDir), id).Certificate},
				tlds:         d.settings.TLDs, currency: tlds[0].Policy.Currency, credit: devCredit, amount: devCredit, reason: "cadastre dev",
			})
			if err != nil {
				return fmt.Errorf("create %s: %w", id, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// addNode adds one more node to a running cluster.
func (d *devCluster) addNode(ctx context.Context, role registry.NodeRole) (devMember, error) {
	d.mu.Lock()
	m := devMember{Number: d.settings.NextNumber, Role: role}
	d.settings.NextNumber++
	d.settings.Members = append(d.settings.Members, m)
	d.mu.Unlock()
	ca, err := cluster.LoadCA(d.path(devCADir))
	if err != nil {
		return m, err
	}
	if err := d.prepareNode(ca, m); err != nil {
		return m, err
	}
	first := d.members()[0]
	client, err := d.waitAdmin(ctx, first)
	if err != nil {
		return m, err
	}
	defer client.close()
	if err := d.join(ctx, client, m, d.settings.address(first, devcluster.PortAdmin)); err != nil {
		return m, err
	}
	return m, d.saveSettings()
}

// newDevPassword returns a random password of 16 characters, the most that EPP allows.
func newDevPassword() string { return rand.Text()[:maxPasswordChars] }

// forget drops a node that was removed from the cluster.
func (d *devCluster) forget(m devMember) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settings.Members = slices.DeleteFunc(d.settings.Members, func(other devMember) bool { return other == m })
}
