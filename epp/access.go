package epp

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// Standing is what each command of a registrar starts from.
type Standing struct {
	Registrar    *registry.Registrar // nil if there is none
	Queue        registry.PollQueue
	FeatureLevel uint32 // of the cluster
}

// StandingOf reads how a registrar stands.
func StandingOf(tx *store.ReadTx, id registry.RegistrarID) Standing {
	standing := Standing{Queue: tx.PollQueue(id), FeatureLevel: tx.FeatureLevel()}
	standing.Registrar, _ = tx.Registrar(id)
	return standing
}

// denial says why the registrar's record does not admit the client of this session, "" if it
// does. The password is not looked at.
func (s *session) denial(registrar *registry.Registrar) string {
	switch {
	case registrar == nil:
		return "there is no such registrar"
	case registrar.State == registry.RegistrarDisabled:
		return "the registrar is disabled"
	case s.certRegistrar != string(registrar.ID):
		return "the client certificate is of another registrar"
	case !s.isPinned(registrar):
		return "the client certificate is not one of the registrar's"
	case !isSource(registrar, s.source):
		return "the address of the client is not one of the registrar's"
	default:
		return ""
	}
}

// isPinned says whether the registrar may use the certificate presented: any of its own if
// it has named none.
func (s *session) isPinned(registrar *registry.Registrar) bool {
	return len(registrar.CertificateSHA256) == 0 || slices.ContainsFunc(registrar.CertificateSHA256, func(pinned []byte) bool {
		return bytes.Equal(pinned, s.fingerprint)
	})
}

// isSource says whether the registrar may come from the address: from any if it has named
// no networks. Loopback is an address like the others.
func isSource(registrar *registry.Registrar, addr netip.Addr) bool {
	return len(registrar.Sources) == 0 || slices.ContainsFunc(registrar.Sources, func(network netip.Prefix) bool {
		return network.Contains(addr)
	})
}

// recheck looks anew at what let the client in, before each command: a registrar that was
// disabled, a certificate or network that was taken away ends sessions that are open. It
// goes by what this node has, which is as new as its answers to the public. It returns the
// answer that ends the session, nil if it goes on. It also tells the command how the
// registrar's messages stand, in case it is refused before it looks itself.
func (s *session) recheck(ctx context.Context, c *call) *answer {
	if s.registrar == "" {
		return nil
	}
	standing, err := s.server.cfg.Reader.Standing(ctx, s.registrar)
	if err != nil {
		return c.failure(fmt.Errorf("read the registrar: %w", err))
	}
	s.record, c.queue, c.level = standing.Registrar, standing.Queue, standing.FeatureLevel
	if reason := s.denial(s.record); reason != "" {
		c.queue = registry.PollQueue{}
		return c.refused(codeAuthenticationClosing, eppxml.Value{NS: eppxml.NSEPP, Name: "command"}, reason)
	}
	return nil
}
