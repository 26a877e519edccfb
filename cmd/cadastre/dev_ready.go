package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
	"cadastre/epp/eppclient"
	"cadastre/internal/devcluster"
	"cadastre/internal/pause"
	"cadastre/registry"
)

// devPollInterval is how often a condition is looked at while a dev cluster starts.
const devPollInterval = 25 * time.Millisecond

// poll tries until try succeeds, the node's process ends or ctx does.
func (d *devCluster) poll(ctx context.Context, m devMember, what string, try func(ctx context.Context) error) error {
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if alive := d.requireAlive(ctx, m); alive != nil {
			return errors.Join(alive, fmt.Errorf("while waiting for %s of %s: %w", what, m.id(), err))
		}
		if pause.For(ctx, devPollInterval) != nil {
			return fmt.Errorf("%s of node %s is not there in time: %w", what, m.id(), err)
		}
	}
}

// waitAdmin returns a connection to the node's admin service once a leader answers through
// it.
func (d *devCluster) waitAdmin(ctx context.Context, m devMember) (client *admin, err error) {
	err = d.poll(ctx, m, "the admin service", func(ctx context.Context) error {
		candidate, err := d.operatorFlags(d.settings.address(m, devcluster.PortAdmin)).dial(ctx)
		if err != nil {
			return err
		}
		if _, err := candidate.ClockGet(ctx, &clusterpb.ClockGetRequest{}); err != nil {
			candidate.close()
			return fmt.Errorf("ask node %s: %w", m.id(), plainError(err))
		}
		client = candidate
		return nil
	})
	return client, err
}

// waitAlone returns once the node answers of its own knowledge, without a leader.
func (d *devCluster) waitAlone(ctx context.Context, m devMember) error {
	return d.poll(ctx, m, "the admin service", func(ctx context.Context) error {
		client, err := d.operatorFlags(d.settings.address(m, devcluster.PortAdmin)).dial(ctx)
		if err == nil {
			client.close()
		}
		return err
	})
}

// waitReady returns once every node answers on every service and every voter votes.
func (d *devCluster) waitReady(ctx context.Context) error {
	group, groupCtx := errgroup.WithContext(ctx)
	for _, m := range d.members() {
		group.Go(func() error { return d.waitNode(groupCtx, m) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	first := d.members()[0]
	client, err := d.waitAdmin(ctx, first)
	if err != nil {
		return err
	}
	defer client.close()
	return d.poll(ctx, first, "a complete membership", func(ctx context.Context) error { return d.checkMembers(ctx, client) })
}

// checkMembers says whether every node has the place in Raft that it is to have.
func (d *devCluster) checkMembers(ctx context.Context, client *admin) error {
	response, err := client.Members(ctx, &clusterpb.MembersRequest{})
	if err != nil {
		return plainError(err)
	}
	for _, m := range d.members() {
		found := false
		for _, member := range response.GetMembers() {
			found = found || member.GetId() == m.id() && member.GetInRaft() && member.GetVotes() == (m.Role == registry.RoleVoter)
		}
		if !found {
			return fmt.Errorf("node %s is not in its place yet", m.id())
		}
	}
	if response.GetLeaderId() == "" {
		return errors.New("there is no leader")
	}
	return nil
}

// waitNode returns once the node greets EPP clients, serves every TLD over DNS and has
// caught up with the cluster.
func (d *devCluster) waitNode(ctx context.Context, m devMember) error {
	client, err := d.waitAdmin(ctx, m)
	if err != nil {
		return err
	}
	client.close()
	err = d.poll(ctx, m, "EPP", func(ctx context.Context) error {
		client, err := d.eppConn(ctx, m)
		if err != nil {
			return err
		}
		return client.Close()
	})
	if err != nil {
		return err
	}
	for _, tld := range d.settings.TLDs {
		err := d.poll(ctx, m, "DNS", func(ctx context.Context) error {
			answer, err := queryDNS(ctx, d.settings.address(m, devcluster.PortDNS), tld, dns.TypeSOA)
			if err == nil && (!answer.Authoritative || len(answer.Answer) == 0) {
				err = fmt.Errorf("the zone %s is not served", tld)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eppConn connects to the node's EPP service as the first registrar and reads the greeting.
func (d *devCluster) eppConn(ctx context.Context, m devMember) (*eppclient.Client, error) {
	info := d.info()
	registrar := info.Registrars[0]
	return dialEPP(ctx, d.settings.address(m, devcluster.PortEPP), cluster.Paths{CA: info.CA, Certificate: registrar.Cert, Key: registrar.Key})
}

// dnsTimeout bounds one query on one machine.
const dnsTimeout = 2 * time.Second

// queryDNS asks a name server over UDP.
func queryDNS(ctx context.Context, address, name string, rrtype uint16) (*dns.Msg, error) {
	query := new(dns.Msg)
	query.SetQuestion(dns.Fqdn(name), rrtype)
	query.RecursionDesired = false
	client := &dns.Client{Net: "udp", Timeout: dnsTimeout}
	answer, _, err := client.ExchangeContext(ctx, query, address)
	if err != nil {
		return nil, fmt.Errorf("ask %s for %s: %w", address, name, err)
	}
	if !answer.Response { // before the server listens, the kernel may choose its port to ask from
		return nil, fmt.Errorf("ask %s for %s: the question came back", address, name)
	}
	return answer, nil
}
