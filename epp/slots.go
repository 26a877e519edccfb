package epp

import (
	"net"
	"net/netip"
	"sync"

	"cadastre/registry"
)

// slots counts connections and sessions against their limits.
type slots struct {
	limits Limits

	mu          sync.Mutex // guards what follows
	total       int
	byAddress   map[netip.Addr]int
	byRegistrar map[registry.RegistrarID]int
}

func newSlots(limits Limits) *slots {
	return &slots{limits: limits, byAddress: map[netip.Addr]int{}, byRegistrar: map[registry.RegistrarID]int{}}
}

// ipv6ClientBits is the part of an IPv6 address that stands for one client: a client has a
// whole /64 to choose from.
const ipv6ClientBits = 64

// clientOf returns the address that stands for the client in limits.
func clientOf(remote net.Addr) netip.Addr {
	addr := addressOf(remote)
	if addr.Is6() && !addr.IsLoopback() {
		if prefix, err := addr.Prefix(ipv6ClientBits); err == nil {
			return prefix.Addr()
		}
	}
	return addr
}

// addressOf returns the address of the other end.
func addressOf(remote net.Addr) netip.Addr {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

func (s *slots) takeConnection(client netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	crowded := s.byAddress[client] >= s.limits.ConnectionsPerAddress && !client.IsLoopback()
	if s.total >= s.limits.Connections || crowded {
		return false
	}
	s.total++
	s.byAddress[client]++
	return true
}

func (s *slots) releaseConnection(client netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.byAddress[client]--; s.byAddress[client] == 0 {
		delete(s.byAddress, client)
	}
}

func (s *slots) takeSession(registrar registry.RegistrarID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byRegistrar[registrar] >= s.limits.SessionsPerRegistrar {
		return false
	}
	s.byRegistrar[registrar]++
	return true
}

// counts returns the open connections and the logged-in sessions.
func (s *slots) counts() (connections, sessions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.byRegistrar {
		sessions += n
	}
	return s.total, sessions
}

func (s *slots) releaseSession(registrar registry.RegistrarID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byRegistrar[registrar]--; s.byRegistrar[registrar] == 0 {
		delete(s.byRegistrar, registrar)
	}
}
