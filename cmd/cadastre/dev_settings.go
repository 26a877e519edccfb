package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"cadastre/internal/devcluster"
	"cadastre/registry"
)

// devSettings is what a dev cluster was made with, kept for later runs.
type devSettings struct {
	// Complete is set once the cluster was made; what an interrupted start left is made anew.
	Complete   bool              `json:"complete"`
	ClusterID  string            `json:"cluster_id"`
	BasePort   int               `json:"base_port"`
	Clock      string            `json:"clock"`
	TLDs       []string          `json:"tlds"`
	Registrars map[string]string `json:"registrars"` // id → EPP password
	// Nodes and Replicas are how many the cluster began with, Members those that it has now.
	Nodes    int         `json:"nodes"`
	Replicas int         `json:"replicas"`
	Members  []devMember `json:"members"`
	// NextNumber is the number of the next node to be added; numbers are never used twice,
	// as they stand for ports and names.
	NextNumber int `json:"next_number"`
}

// devMember is a node: its number stands for its name and its block of ports.
type devMember struct {
	Number int               `json:"number"`
	Role   registry.NodeRole `json:"role"`
}

func (m devMember) id() string { return fmt.Sprintf("n%d", m.Number) }

// address returns where the service of the node listens.
func (s *devSettings) address(m devMember, service int) string {
	return devcluster.Address(s.BasePort, m.Number, service)
}

// loadDevSettings returns the settings in dir, nil if no cluster was made there.
func loadDevSettings(dir string) (*devSettings, error) {
	path := filepath.Join(dir, devSettingsFile)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the dev cluster's settings: %w", err)
	}
	var s devSettings
	if err := json.Unmarshal(content, &s); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &s, nil
}

// devTLD is the policy of a TLD of a dev cluster: thick contacts, nothing required, and one
// apex server for each node.
func devTLD(name registry.DomainName, nodes int) *registry.TLD {
	p := registry.TLDPolicy{
		ROIDSuffix: roidSuffix(name), Currency: "EUR",
		CreatePriceMinor: 1000, RenewPriceMinor: 1000, TransferPriceMinor: 1000, RestorePriceMinor: 4000,
		MinPeriodYears: 1, MaxPeriodYears: 10, AutoRenew: true,
		AddGraceDays: 5, RenewGraceDays: 5, AutoRenewGraceDays: 45, TransferGraceDays: 5,
		RedemptionDays: 30, PendingDeleteDays: 5,
		MaxNameServers: 13, MaxContacts: 12, AllowPrivateAddresses: true,
		ReservedLabels:    []string{"nic"},
		SOARefreshSeconds: 1800, SOARetrySeconds: 900, SOAExpireSeconds: 1209600, SOAMinimumSeconds: 3600,
		ApexTTLSeconds: 86400, DelegationTTLSeconds: 3600,
		Signing: registry.SigningPolicy{Denial: registry.DenialNSEC3, OptOut: true},
	}
	for i := range min(nodes, maxApexServers) {
		p.ApexServers = append(p.ApexServers, registry.ApexServer{
			Name:      registry.DomainName(fmt.Sprintf("%c.nic.%s", 'a'+i, name)),
			Addresses: documentationAddresses(i + 1),
		})
	}
	p.SOAMName, p.SOARName = p.ApexServers[0].Name, "hostmaster.nic."+name
	return &registry.TLD{Name: name, Policy: p}
}

// maxApexServers is how many name servers a TLD may have.
const maxApexServers = 13

// roidSuffix makes an object identifier suffix of what the name offers.
func roidSuffix(name registry.DomainName) string {
	var out []byte
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z':
			out = append(out, c-'a'+'A')
		case c >= '0' && c <= '9':
			out = append(out, c)
		}
	}
	return string(out[:min(len(out), 8)])
}

// checkSame compares what was asked for with what the cluster was made with.
func (s *devSettings) checkSame(o *devOptions, given func(flag string) bool) error {
	differ := func(flag string, have, want any) error {
		return fmt.Errorf("the cluster in %s was made with --%s %v, not %v; leave the option out or use another folder", o.dir, flag, have, want)
	}
	switch {
	case given("nodes") && o.nodes != s.Nodes:
		return differ("nodes", s.Nodes, o.nodes)
	case given("replicas") && o.replicas != s.Replicas:
		return differ("replicas", s.Replicas, o.replicas)
	case given("base-port") && o.basePort != s.BasePort:
		return differ("base-port", s.BasePort, o.basePort)
	case given("clock") && o.clock != s.Clock:
		return differ("clock", s.Clock, o.clock)
	case given("tld") && !slices.Equal(o.tlds, s.TLDs):
		return differ("tld", s.TLDs, o.tlds)
	}
	return nil
}
