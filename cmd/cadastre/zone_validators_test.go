package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cadastre/dnssec"
)

// parseZone reads a zone file.
func parseZone(t *testing.T, text string) (out []dns.RR) {
	t.Helper()
	parser := dns.NewZoneParser(strings.NewReader(text), "example.", "export")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		out = append(out, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// requireValidZone has validators of other projects check a signed zone, the one that can be told the time also for the last moment in
// which all signatures hold.
func requireValidZone(t *testing.T, from string, rrs []dns.RR) {
	t.Helper()
	var records []string
	var soa string
	var end uint32
	verify := []string{"dnssec-verify", "-q", "-z"} // the keys are CSKs, unless there is a ZSK
	for _, rr := range rrs {
		switch rr := rr.(type) {
		case *dns.SOA: // a transfer has it twice
			soa = rr.String()
			continue
		case *dns.RRSIG:
			if end == 0 || rr.Expiration < end {
				end = rr.Expiration
			}
		case *dns.DNSKEY:
			if rr.Flags == dnssec.FlagsZoneKey {
				verify = []string{"dnssec-verify", "-q"}
			}
		}
		records = append(records, rr.String())
	}
	if soa == "" || end == 0 {
		t.Fatalf("%s: no SOA, or no signatures, in %d records", from, len(records))
	}
	slices.Sort(records)
	file := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(file, []byte(soa+"\n"+strings.Join(slices.Compact(records), "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	last := time.Unix(int64(end)-1, 0).UTC().Format("20060102150405")
	for _, command := range [][]string{
		append(verify, "-o", "example.", file),
		{"ldns-verify-zone", "-V1", file},
		{"ldns-verify-zone", "-V1", "-t", last, file},
	} {
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Logf("SKIPPED: %s is not installed (apt-get install bind9-utils ldnsutils)", command[0])
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), clientTimeout)
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		cancel()
		if err != nil {
			t.Errorf("%s: %v: %v\n%s", from, command, err, out)
		}
	}
}
