package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"cadastre/cluster/clusterpb"
	"cadastre/internal/devcluster"
	"cadastre/internal/pause"
)

// wasRemoved says whether the node has noted that it was removed from the cluster.
func (d *devCluster) wasRemoved(m devMember) bool {
	cfg := Config{DataDir: filepath.Join(d.path(m.id()), "data")}
	_, err := os.Stat(cfg.removedFile())
	return err == nil
}

// dropRemoved forgets the nodes that an operator has removed from the cluster, also those
// that were down at that time.
func (d *devCluster) dropRemoved(ctx context.Context) error {
	for {
		for _, m := range d.members() {
			if d.wasRemoved(m) {
				if err := d.drop(m); err != nil {
					return err
				}
				continue
			}
			if err := d.requireAlive(ctx, m); err != nil && !d.wasRemoved(m) {
				return err
			}
			if members, ok := d.askMembers(ctx, m); ok {
				return d.keepOnly(members)
			}
		}
		if err := pause.For(ctx, devPollInterval); err != nil {
			return errors.Join(errors.New("no node finds a leader"), err)
		}
	}
}

// askMembers returns the ids of the cluster's nodes if the node asked knows a leader. One
// that was removed knows none.
func (d *devCluster) askMembers(ctx context.Context, m devMember) (ids []string, ok bool) {
	client, err := d.operatorFlags(d.settings.address(m, devcluster.PortAdmin)).dial(ctx)
	if err != nil {
		return nil, false
	}
	defer client.close()
	response, err := client.Members(ctx, &clusterpb.MembersRequest{Local: true})
	if err != nil || response.GetLeaderId() == "" {
		return nil, false
	}
	for _, member := range response.GetMembers() {
		ids = append(ids, member.GetId())
	}
	return ids, true
}

func (d *devCluster) keepOnly(ids []string) error {
	for _, m := range d.members() {
		if !slices.Contains(ids, m.id()) {
			if err := d.drop(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// drop stops and forgets a node that was removed from the cluster.
func (d *devCluster) drop(m devMember) error {
	d.announce("%s was removed from the cluster.", m.id())
	d.mu.Lock()
	d.stopping[m.id()] = true
	p := d.processes[m.id()]
	d.mu.Unlock()
	if p != nil {
		if err := p.stop(); err != nil {
			return err
		}
	}
	d.forget(m)
	return d.saveSettings()
}
