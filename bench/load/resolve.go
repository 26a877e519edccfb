package load

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

const (
	queryTimeout = time.Second
	askInterval  = time.Millisecond
	// signedInterval is longer: many names are asked for at a time.
	signedInterval = 3 * time.Millisecond
)

// WaitServed asks the name server until it answers name with a referral, and returns how
// long that took since the given instant.
func WaitServed(ctx context.Context, server, name string, since time.Time) (time.Duration, error) {
	client := &dns.Client{Timeout: queryTimeout}
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeNS)
	ticker := time.NewTicker(askInterval)
	defer ticker.Stop()
	for {
		reply, _, err := client.ExchangeContext(ctx, query, server)
		if err == nil && reply.Rcode == dns.RcodeSuccess && len(reply.Ns) > 0 && reply.Ns[0].Header().Rrtype == dns.TypeNS {
			return time.Since(since), nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%s is not served by %s: %w", name, server, ctx.Err())
		case <-ticker.C:
		}
	}
}

// WaitSigned asks the name server until it answers name with a referral that holds a signed DS record, and returns how
// long that took since the given instant.
func WaitSigned(ctx context.Context, server, name string, since time.Time) (time.Duration, error) {
	client := &dns.Client{Timeout: queryTimeout}
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeNS).SetEdns0(dns.DefaultMsgSize, true)
	ticker := time.NewTicker(signedInterval)
	defer ticker.Stop()
	for {
		reply, _, err := client.ExchangeContext(ctx, query, server)
		if err == nil && hasSignedDS(reply) {
			return time.Since(since), nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%s is not served with a signed DS record by %s: %w", name, server, ctx.Err())
		case <-ticker.C:
		}
	}
}

func hasSignedDS(reply *dns.Msg) bool {
	ds, signed := false, false
	for _, rr := range reply.Ns {
		switch rr := rr.(type) {
		case *dns.DS:
			ds = true
		case *dns.RRSIG:
			signed = signed || rr.TypeCovered == dns.TypeDS
		}
	}
	return ds && signed
}

// Serial returns the serial of the zone that the name server serves.
func Serial(ctx context.Context, server, tld string) (uint32, error) {
	client := &dns.Client{Timeout: queryTimeout}
	reply, _, err := client.ExchangeContext(ctx, new(dns.Msg).SetQuestion(dns.Fqdn(tld), dns.TypeSOA), server)
	if err != nil {
		return 0, err
	}
	for _, rr := range reply.Answer {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa.Serial, nil
		}
	}
	return 0, fmt.Errorf("%s answers without the SOA record of %s", server, tld)
}
