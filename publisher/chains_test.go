package publisher_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cadastre/dnssec"
	"cadastre/fsm/fsmpb"
	"cadastre/publisher"
	"cadastre/registry"
)

// watched calls a function after each command, and lets it interfere.
type watched struct {
	*node
	after func(*fsmpb.Command)
}

func (w *watched) Propose(ctx context.Context, c *fsmpb.Command) (*fsmpb.Result, error) {
	result, err := w.node.Propose(ctx, c)
	w.after(c)
	return result, err
}

// TestChainsChangeUnderSignatures takes zones from each kind of denial chain to the others while registrars go on: every
// publication on the way is a whole signed zone, whose answers are proved by one complete chain.
func TestChainsChangeUnderSignatures(t *testing.T) {
	full, optOut, nsec := registry.SigningPolicy{Denial: registry.DenialNSEC3}, registry.SigningPolicy{Denial: registry.DenialNSEC3, OptOut: true}, registry.SigningPolicy{Denial: registry.DenialNSEC}
	for name, steps := range map[string][]registry.SigningPolicy{
		"opt-out to nsec and back": {optOut, nsec, optOut}, "nsec3 to nsec and back": {full, nsec, full},
		"nsec to nsec3, changed on the way": {nsec, full, optOut, nsec},
	} {
		t.Run(name, func(t *testing.T) {
			n := newSigningNode(t, steps[0])
			random := rand.New(rand.NewPCG(7, 8))
			for range 320 { // more than one publication of a sweep looks at
				n.addName(t, random)
			}
			n.settle(t)
			publications := 0
			watch := &watched{node: n.node, after: func(c *fsmpb.Command) {
				if c.GetZonePublish() == nil {
					return
				}
				publications++
				if publications%3 == 0 { // each takes a while
					n.mustBeSigned(t)
				}
				if publications%2 == 0 {
					n.change(t, random)
				}
			}}
			n.pub = publisher.New(watch, n.node, n.keys, slog.New(slog.NewTextHandler(t.Output(), nil)))
			for i, step := range steps[1:] {
				n.sign(t, step)
				if i+2 < len(steps) && strings.Contains(name, "on the way") {
					n.publishSome(t, watch, 3) // and the next change comes before this one is done
					continue
				}
				n.settle(t)
				if got, want := n.signedAs(t), dnssec.Fingerprint(&step, n.keys.set); got != want {
					t.Fatalf("signed as %q, want %q", got, want)
				}
			}
			n.settle(t)
			n.validate(t)
			n.mustHaveOneChain(t)
			if publications < 6 {
				t.Errorf("%d publications: the changes were not watched", publications)
			}
		})
	}
}

// addName registers a delegation, every other one with a DS record.
func (n *signingNode) addName(t *testing.T, random *rand.Rand) {
	t.Helper()
	n.count++
	label := "n" + string(rune('a'+n.count%26)) + strings.Repeat("x", n.count/26)
	create := &fsmpb.DomainCreate{Name: label + ".example", Roid: "N" + label, NameServers: []string{"ns.shared.net"}}
	if n.count == 1 {
		n.asRegistrar(t, &fsmpb.Command{Body: &fsmpb.Command_HostCreate{HostCreate: &fsmpb.HostCreate{Name: "ns.shared.net", Roid: "HSHARED"}}})
	}
	if n.count%2 == 0 {
		create.Ds = []*fsmpb.DelegationSigner{{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: digest(random)}}
	}
	n.asRegistrar(t, &fsmpb.Command{Body: &fsmpb.Command_DomainCreate{DomainCreate: create}})
}

// publishSome runs the publisher until it has published count times.
func (n *signingNode) publishSome(t *testing.T, watch *watched, count int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	check := watch.after
	watch.after = func(c *fsmpb.Command) {
		check(c)
		if count--; count <= 0 {
			cancel()
		}
	}
	_ = n.pub.Settle(ctx) // ends with ctx, or earlier
	watch.after = check
}

// mustBeSigned checks the zone as it is published: it shows its keys, every set of its own has a signature, and the
// chain that answers are proved by is closed over all names that belong in it.
func (n *signingNode) mustBeSigned(t *testing.T) {
	t.Helper()
	rrs := n.zoneRecords(t)
	has := map[uint16]int{}
	for _, rr := range rrs {
		has[rr.Header().Rrtype]++
	}
	if has[dns.TypeDNSKEY] == 0 {
		t.Fatalf("the zone shows no keys: %s", n.signedAs(t))
	}
	// What a server would choose by: RFC 5155 section 4 for NSEC3.
	proof := rrs[:0:0]
	for _, rr := range rrs {
		covered := rr.Header().Rrtype
		if sig, ok := rr.(*dns.RRSIG); ok {
			covered = sig.TypeCovered
		}
		switch {
		case covered == dns.TypeNSEC3 && has[dns.TypeNSEC3PARAM] == 0, covered == dns.TypeNSEC && has[dns.TypeNSEC3PARAM] > 0:
			continue // of the chain that answers are not proved by
		}
		proof = append(proof, rr)
	}
	n.validateRecords(t, proof)
}

func (n *signingNode) mustHaveOneChain(t *testing.T) {
	t.Helper()
	nsec, nsec3 := 0, 0
	for _, rr := range n.zoneRecords(t) {
		switch rr.Header().Rrtype {
		case dns.TypeNSEC:
			nsec++
		case dns.TypeNSEC3:
			nsec3++
		}
	}
	if (nsec == 0) == (nsec3 == 0) {
		t.Errorf("the zone has %d NSEC and %d NSEC3 records", nsec, nsec3)
	}
}
