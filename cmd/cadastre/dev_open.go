package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"cadastre/internal/devcluster"
	"cadastre/internal/pause"
	"cadastre/registry"
)

// openDev makes the cluster or resumes it, and returns when it is ready.
func openDev(ctx context.Context, o *devOptions, given func(flag string) bool, progress io.Writer) (*devCluster, error) {
	if err := os.Remove(filepath.Join(o.dir, devcluster.InfoFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err // of an earlier run
	}
	settings, err := loadDevSettings(o.dir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, devStartTimeout)
	defer cancel()
	var d *devCluster
	if settings != nil && settings.Complete {
		if err := settings.checkSame(o, given); err != nil {
			return nil, err
		}
		if d, err = newDevCluster(o.dir, settings, progress); err != nil {
			return nil, err
		}
		if given("tld-file") {
			d.announce("--tld-file counts only when a cluster is made, so it changes nothing; change a policy with: cadastre tld apply -f %s --dev %s", o.tldFile, o.dir)
		}
		err = d.resume(ctx)
	} else {
		if settings != nil { // an interrupted first start may have left servers
			leftover := &devCluster{dir: o.dir, settings: settings}
			if err := leftover.endOrphans(ctx); err != nil {
				return nil, err
			}
			_ = leftover.awaitPorts(ctx) // the new cluster may be on others
		}
		d, err = makeDev(ctx, o, progress)
	}
	if err != nil {
		if d != nil {
			err = errors.Join(err, d.stopAll())
		}
		return nil, err
	}
	if err := d.writeInfo(); err != nil {
		return nil, errors.Join(err, d.stopAll())
	}
	return d, nil
}

// makeDev makes a new cluster as the options say.
func makeDev(ctx context.Context, o *devOptions, progress io.Writer) (*devCluster, error) {
	clock, err := parseClockMode(o.clock)
	if err != nil {
		return nil, err
	}
	tlds, err := o.policies()
	if err != nil {
		return nil, err
	}
	s := &devSettings{BasePort: o.basePort, Clock: o.clock, Nodes: o.nodes, Replicas: o.replicas, NextNumber: o.nodes + o.replicas + 1,
		Registrars: map[string]string{"registrar-a": newDevPassword(), "registrar-b": newDevPassword()}}
	for _, tld := range tlds {
		s.TLDs = append(s.TLDs, string(tld.Name))
	}
	for i := range o.nodes + o.replicas {
		s.Members = append(s.Members, devMember{Number: i + 1, Role: roleOf(i, o.nodes)})
	}
	d, err := newDevCluster(o.dir, s, progress)
	if err != nil {
		return nil, err
	}
	if err := d.checkPorts(); err != nil {
		return d, err
	}
	return d, d.makeCluster(ctx, tlds, clock)
}

// policies returns the TLDs to serve.
func (o *devOptions) policies() ([]*registry.TLD, error) {
	if o.tldFile != "" {
		f, err := os.Open(o.tldFile)
		if err != nil {
			return nil, fmt.Errorf("read the policy document: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		tld, err := readTLDDocument(f, o.tldFile)
		if err != nil {
			return nil, err
		}
		return []*registry.TLD{tld}, nil
	}
	var tlds []*registry.TLD
	for _, text := range o.tlds {
		name, err := registry.ParseDomainName(text)
		if err != nil {
			return nil, fmt.Errorf("--tld: %w", err)
		}
		tlds = append(tlds, devTLD(name, o.nodes+o.replicas))
	}
	return tlds, nil
}

// checkPorts says which port is taken before anything is made.
func (d *devCluster) checkPorts() error {
	for _, m := range d.members() {
		for service := range devcluster.PortsUsed {
			address := d.settings.address(m, service)
			listener, err := net.Listen("tcp", address)
			if err != nil {
				return fmt.Errorf("node %s needs %s, which cannot be used: %w; choose another --base-port", m.id(), address, err)
			}
			_ = listener.Close() // nothing was accepted
		}
	}
	return nil
}

// devPortPatience is how long a port may still be taken after its process has ended: the
// kernel closes sockets a moment later.
const devPortPatience = 2 * time.Second

// awaitPorts returns when the ports of nodes that have just ended can be used.
func (d *devCluster) awaitPorts(ctx context.Context) error {
	deadline := time.Now().Add(devPortPatience)
	for {
		err := d.checkPorts()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if pause.For(ctx, devPollInterval) != nil {
			return err
		}
	}
}

// endOrphans stops servers that an earlier `cadastre dev` left when it was killed.
func (d *devCluster) endOrphans(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, m := range d.members() {
		group.Go(func() error { return endOrphan(ctx, d.pidPath(m), d.configPath(m)) })
	}
	return group.Wait()
}

// resume starts all nodes of an existing cluster on their data.
func (d *devCluster) resume(ctx context.Context) error {
	if err := d.endOrphans(ctx); err != nil {
		return err
	}
	if err := d.awaitPorts(ctx); err != nil {
		return err
	}
	for _, m := range d.members() {
		if err := d.start(m); err != nil {
			return err
		}
	}
	if err := d.dropRemoved(ctx); err != nil {
		return err
	}
	return d.waitReady(ctx)
}
