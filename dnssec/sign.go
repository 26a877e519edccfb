package dnssec

import (
	"context"
	"fmt"
	"hash/fnv"
	"runtime"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"cadastre/policy"
	"cadastre/registry"
)

// inceptionMargin lets signatures begin in the past, for validators whose clocks are slow.
const inceptionMargin = time.Hour

// job is a signature to be made.
type job struct {
	owner registry.DomainName
	set   *set
	key   *Key
}

// signer makes the signatures of one publication.
type signer struct {
	tld      *registry.TLD
	keys     *KeySet
	now      time.Time
	validity time.Duration
	refresh  time.Duration
	jobs     []job
}

func newSigner(tld *registry.TLD, keys *KeySet, now time.Time) *signer {
	return &signer{tld: tld, keys: keys, now: now, validity: policy.SignatureValidity(tld), refresh: policy.SignatureRefresh(tld)}
}

// plan keeps the signatures of the node that are still good and notes those to be made.
func (s *signer) plan(n *node) {
	for _, set := range n.sets {
		if s.keys == nil || !n.isSigned(set) {
			set.sigs = nil
			continue
		}
		keys := s.keys.Zone
		if n.owner == s.tld.Name && n.key == nil && isKeySetType(set.rrtype) {
			keys = s.keys.Apex
		}
		kept := make([]*dns.RRSIG, 0, len(keys))
		for i := range keys {
			if sig := s.reusable(set, &keys[i]); sig != nil {
				kept = append(kept, sig)
				continue
			}
			s.jobs = append(s.jobs, job{owner: n.owner, set: set, key: &keys[i]})
		}
		set.sigs = kept
	}
}

// isKeySetType says whether the keys of the apex sign sets of this type.
func isKeySetType(rrtype uint16) bool {
	return rrtype == dns.TypeDNSKEY || rrtype == dns.TypeCDS || rrtype == dns.TypeCDNSKEY
}

// reusable returns the set's signature by the key unless it is to be renewed.
func (s *signer) reusable(set *set, key *Key) *dns.RRSIG {
	for _, sig := range set.sigs {
		if sig.KeyTag != key.Record.KeyTag() || sig.Algorithm != key.Record.Algorithm {
			continue
		}
		if sigTime(sig.Expiration).Sub(s.now) > s.refresh && !sigTime(sig.Inception).After(s.now) {
			return sig
		}
	}
	return nil
}

// expiration spreads the ends of signatures over a quarter of their validity, by owner, so that
// what was signed together is not renewed together.
func (s *signer) expiration(owner registry.DomainName) time.Time {
	h := fnv.New32a()
	_, _ = h.Write([]byte(owner)) // cannot fail
	spread := s.validity / 4
	return s.now.Add(s.validity + time.Duration(h.Sum32())%spread)
}

// sign makes the planned signatures, on all processors.
func (s *signer) sign(ctx context.Context) error {
	sigs := make([]*dns.RRSIG, len(s.jobs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	const stride = 16 // signatures to a task, so that handing out costs little beside signing
	for first := 0; first < len(s.jobs); first += stride {
		group.Go(func() error {
			for i := first; i < min(first+stride, len(s.jobs)); i++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				sig, err := s.signature(&s.jobs[i])
				if err != nil {
					return err
				}
				sigs[i] = sig
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, j := range s.jobs {
		j.set.sigs = append(j.set.sigs, sigs[i])
	}
	return nil
}

func (s *signer) signature(j *job) (*dns.RRSIG, error) {
	sig := &dns.RRSIG{
		Hdr:       dns.RR_Header{Name: j.set.rrs[0].Header().Name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: j.set.rrs[0].Header().Ttl},
		Algorithm: j.key.Record.Algorithm, KeyTag: j.key.Record.KeyTag(), SignerName: string(s.tld.Name) + ".",
		Inception: uint32(s.now.Add(-inceptionMargin).Unix()), Expiration: uint32(s.expiration(j.owner).Unix()),
	}
	if err := sig.Sign(j.key.Signer, j.set.rrs); err != nil {
		return nil, fmt.Errorf("sign %s %s with key %s: %w", j.owner, dns.TypeToString[j.set.rrtype], keyName(j.key.Record), err)
	}
	return sig, nil
}
