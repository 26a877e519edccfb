package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"cadastre/cluster/clusterpb"
	"cadastre/internal/devcluster"
	"cadastre/registry"
)

// addAndRemove adds a fourth node and removes it again.
func (s *demo) addAndRemove(ctx context.Context) error {
	begun := time.Now()
	m, err := s.d.addNode(ctx, registry.RoleReplica)
	if err != nil {
		return err
	}
	if err := s.d.waitNode(ctx, m); err != nil {
		return err
	}
	took, err := until(ctx, begun, func(ctx context.Context) error {
		return errors.Join(s.checkReferral(ctx, m, "demo-1."+demoTLD, "ns1.demo-1."+demoTLD), s.checkReferral(ctx, m, "demo-2."+demoTLD, "ns1.host.invalid"))
	})
	if err != nil {
		return fmt.Errorf("DNS of %s: %w", m.id(), err)
	}
	s.tell(took, "%s joins with a token, fetches the state and answers for both domains", m.id())
	client, err := s.d.waitAdmin(ctx, s.d.members()[0])
	if err != nil {
		return err
	}
	defer client.close()
	begun = time.Now()
	if _, err := client.Remove(ctx, &clusterpb.RemoveRequest{NodeId: m.id(), Reason: "the demo is over"}); err != nil {
		return fmt.Errorf("remove %s: %w", m.id(), plainError(err))
	}
	took, err = until(ctx, begun, func(context.Context) error {
		if s.d.process(m).running() {
			return fmt.Errorf("%s still runs", m.id())
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := queryDNS(ctx, s.d.settings.address(m, devcluster.PortDNS), demoTLD, dns.TypeSOA); err == nil {
		return fmt.Errorf("%s still answers", m.id())
	}
	s.tell(took, "%s is removed and stops serving", m.id())
	s.d.forget(m)
	return nil
}

// compareStates compares the state hashes of all nodes at one index.
func (s *demo) compareStates(ctx context.Context) error {
	begun := time.Now()
	hash, text := []byte(nil), ""
	_, err := until(ctx, begun, func(ctx context.Context) error {
		first, same := []byte(nil), true
		var index uint64
		for _, m := range s.d.members() {
			client, err := s.d.operatorFlags(s.d.settings.address(m, devcluster.PortAdmin)).dial(ctx)
			if err != nil {
				return err
			}
			response, err := client.StateHash(ctx, &clusterpb.StateHashRequest{Index: index})
			client.close()
			if err != nil {
				return plainError(err)
			}
			if index == 0 {
				index, first = response.GetIndex(), response.GetHash()
			}
			same = same && response.GetIndex() == index
			if same && !bytes.Equal(first, response.GetHash()) {
				return fmt.Errorf("the states of %s and %s differ at index %d", s.d.members()[0].id(), m.id(), index)
			}
		}
		if !same {
			return errors.New("the nodes never stood at the same index")
		}
		hash, text = first, fmt.Sprintf("at index %d", index)
		return nil
	})
	if err != nil {
		return err
	}
	s.tell(time.Since(begun), "all nodes hold the same state %s: %.8x", text, hash)
	if bytes.Equal(hash, make([]byte, len(hash))) {
		return errors.New("the state hash is that of an empty state")
	}
	return nil
}
