package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
	"cadastre/epp/eppclient"
	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
)

// story runs the steps in their order.
func (s *demo) story(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{
		s.registerFirst, s.askWhoisEverywhere, s.killLeader, s.addAndRemove, s.compareStates,
	} {
		if err := chapter(ctx); err != nil {
			return fmt.Errorf("step %d: %w", s.number+1, err)
		}
	}
	return nil
}

// login opens an EPP session as registrar-a on a node.
func (s *demo) login(ctx context.Context, m devMember) (*eppclient.Client, error) {
	registrar, err := s.info.Registrar("registrar-a")
	if err != nil {
		return nil, err
	}
	paths := cluster.Paths{CA: s.info.CA, Certificate: registrar.Cert, Key: registrar.Key}
	return loginEPP(ctx, s.d.settings.address(m, devcluster.PortEPP), paths, registrar.ID, registrar.Password)
}

// do sends a command and returns how long its acknowledgement took.
func do(ctx context.Context, client *eppclient.Client, body eppxml.Body) (time.Duration, error) {
	begun := time.Now()
	_, err := client.Must(ctx, body, newClTRID())
	return time.Since(begun), err
}

// registerFirst registers a domain with in-zone name servers on the first node.
func (s *demo) registerFirst(ctx context.Context) error {
	m := s.d.members()[0]
	client, err := s.login(ctx, m)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // everything was said
	const domain, ns1, ns2 = "demo-1." + demoTLD, "ns1.demo-1." + demoTLD, "ns2.demo-1." + demoTLD
	auth := &eppxml.AuthInfo{Password: newAuthInfo()}
	for _, step := range []struct {
		text string
		body eppxml.Body
	}{
		{"registrar-a creates the contact jane-1 on n1", &eppxml.ContactCreate{
			ID: "jane-1", Email: "jane@host.invalid", AuthInfo: auth, Voice: &eppxml.Phone{Number: "+49.301234567"},
			PostalInfos: []eppxml.PostalInfo{{Type: eppxml.PostalInt, Name: "Jane Doe", Addr: eppxml.PostalAddr{City: "Berlin", CC: "DE"}}},
		}},
		{"registrar-a registers " + domain, &eppxml.DomainCreate{
			Name: domain, Period: eppxml.Period{Count: 1, Unit: eppxml.UnitYear}, Registrant: "jane-1", AuthInfo: auth,
			Contacts: []eppxml.DomainContact{{Type: "admin", ID: "jane-1"}, {Type: "tech", ID: "jane-1"}},
		}},
		{"registrar-a creates its name server " + ns1, &eppxml.HostCreate{Name: ns1, Addrs: []eppxml.HostAddr{{IP: "v4", Addr: "192.0.2.53"}}}},
		{"registrar-a creates its name server " + ns2, &eppxml.HostCreate{Name: ns2, Addrs: []eppxml.HostAddr{{IP: "v6", Addr: "2001:db8::53"}}}},
		{"registrar-a delegates " + domain + " to them", &eppxml.DomainUpdate{Name: domain, Add: &eppxml.DomainAddRem{NS: &eppxml.NameServers{HostObjs: []string{ns1, ns2}}}}},
	} {
		took, err := do(ctx, client, step.body)
		if err != nil {
			return fmt.Errorf("%s: %w", step.text, err)
		}
		s.tell(took, "%s: acknowledged", step.text)
	}
	acknowledged := time.Now()
	for _, m := range s.d.members() {
		took, err := until(ctx, acknowledged, func(ctx context.Context) error { return s.checkReferral(ctx, m, domain, ns1, ns2) })
		if err != nil {
			return fmt.Errorf("DNS of %s: %w", m.id(), err)
		}
		s.tell(took, "DNS of %s refers %s to its name servers, with glue (since the acknowledgement)", m.id(), domain)
	}
	return s.showReferral(ctx, m, domain)
}

// checkReferral asks one node for the domain and compares the delegation.
func (s *demo) checkReferral(ctx context.Context, m devMember, domain string, hosts ...string) error {
	answer, err := queryDNS(ctx, s.d.settings.address(m, devcluster.PortDNS), domain, dns.TypeA)
	if err != nil {
		return err
	}
	if answer.Rcode != dns.RcodeSuccess || answer.Authoritative {
		return fmt.Errorf("no referral: %s, authoritative %v", dns.RcodeToString[answer.Rcode], answer.Authoritative)
	}
	for _, host := range hosts {
		found, glue := false, !strings.HasSuffix(host, "."+demoTLD)
		for _, rr := range answer.Ns {
			ns, ok := rr.(*dns.NS)
			found = found || ok && ns.Ns == dns.Fqdn(host)
		}
		for _, rr := range answer.Extra {
			glue = glue || rr.Header().Name == dns.Fqdn(host)
		}
		if !found || !glue {
			return fmt.Errorf("the referral lacks %s or its address", host)
		}
	}
	return nil
}

func (s *demo) showReferral(ctx context.Context, m devMember, domain string) error {
	answer, err := queryDNS(ctx, s.d.settings.address(m, devcluster.PortDNS), domain, dns.TypeA)
	if err != nil {
		return err
	}
	for _, rr := range append(answer.Ns, answer.Extra...) {
		if rr.Header().Rrtype != dns.TypeOPT {
			s.show(strings.ReplaceAll(rr.String(), "\t", " "))
		}
	}
	return nil
}

// askWhoisEverywhere asks every node for the domain over WHOIS.
func (s *demo) askWhoisEverywhere(ctx context.Context) error {
	for _, m := range s.d.members() {
		begun := time.Now()
		answer, err := askWHOIS(ctx, s.d.settings.address(m, devcluster.PortWHOIS), "demo-1."+demoTLD)
		if err != nil {
			return err
		}
		if !strings.Contains(strings.ToLower(answer), "demo-1."+demoTLD) || !strings.Contains(answer, "registrar-a") {
			return fmt.Errorf("WHOIS of %s does not know demo-1.%s: %q", m.id(), demoTLD, answer)
		}
		s.tell(time.Since(begun), "WHOIS of %s knows demo-1.%s", m.id(), demoTLD)
	}
	return nil
}

// leader returns the leader and another node.
func (s *demo) leader(ctx context.Context, ask devMember) (leader, other devMember, err error) {
	client, err := s.d.waitAdmin(ctx, ask)
	if err != nil {
		return leader, other, err
	}
	defer client.close()
	response, err := client.Members(ctx, &clusterpb.MembersRequest{})
	if err != nil {
		return leader, other, plainError(err)
	}
	if leader, err = s.d.member(response.GetLeaderId()); err != nil {
		return leader, other, errors.New("there is no leader")
	}
	for _, m := range s.d.members() {
		if m != leader {
			other = m
		}
	}
	return leader, other, nil
}

// killLeader kills the leader, registers through another node, and brings the killed one
// back.
func (s *demo) killLeader(ctx context.Context) error {
	leader, other, err := s.leader(ctx, s.d.members()[0])
	if err != nil {
		return err
	}
	client, err := s.login(ctx, other)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // everything was said
	if _, err := do(ctx, client, &eppxml.HostCreate{Name: "ns1.host.invalid"}); err != nil {
		return fmt.Errorf("create a host outside the zone: %w", err)
	}
	const domain = "demo-2." + demoTLD
	killed := time.Now()
	s.d.process(leader).kill()
	s.tell(time.Since(killed), "%s, the leader, is killed (kill -9)", leader.id())
	took, err := do(ctx, client, &eppxml.DomainCreate{
		Name: domain, NS: &eppxml.NameServers{HostObjs: []string{"ns1.host.invalid"}}, AuthInfo: &eppxml.AuthInfo{Password: newAuthInfo()},
	})
	if err != nil {
		return fmt.Errorf("register %s through %s: %w", domain, other.id(), err)
	}
	s.tell(took, "registrar-a registers %s through %s: acknowledged, election included", domain, other.id())
	acknowledged := time.Now()
	for _, m := range s.d.members() {
		if m == leader {
			continue
		}
		took, err := until(ctx, acknowledged, func(ctx context.Context) error { return s.checkReferral(ctx, m, domain, "ns1.host.invalid") })
		if err != nil {
			return fmt.Errorf("DNS of %s: %w", m.id(), err)
		}
		s.tell(took, "DNS of %s refers %s (since the acknowledgement)", m.id(), domain)
	}
	begun := time.Now()
	if err := s.d.start(leader); err != nil {
		return err
	}
	if err := s.d.waitNode(ctx, leader); err != nil {
		return err
	}
	took, err = until(ctx, begun, func(ctx context.Context) error {
		return errors.Join(s.checkReferral(ctx, leader, "demo-1."+demoTLD, "ns1.demo-1."+demoTLD), s.checkReferral(ctx, leader, domain, "ns1.host.invalid"))
	})
	if err != nil {
		return fmt.Errorf("DNS of %s: %w", leader.id(), err)
	}
	s.tell(took, "%s is started again and answers for both domains", leader.id())
	return nil
}
