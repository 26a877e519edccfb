package dnsedge

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"github.com/miekg/dns"
)

// delegation makes the records of the i-th delegation: two servers out of a thousand hosters.
func delegation(i int) Owner {
	name := fmt.Sprintf("domain-%07d", i)
	wire := append([]byte{byte(len(name))}, name...)
	wire = append(wire, "\x07example\x00"...)
	var rrs []byte
	for _, host := range []string{"\x03ns1", "\x03ns2"} {
		target := host + fmt.Sprintf("\x0ahoster-%03d\x03net\x00", i%1000)
		rrs = append(rrs, wire...)
		rrs = append(rrs, 0, 2, 0, 1, 0, 1, 0x51, 0x80)
		rrs = binary.BigEndian.AppendUint16(rrs, uint16(len(target)))
		rrs = append(rrs, target...)
	}
	return Owner{Name: name + ".example", RRs: rrs}
}

func benchZone(b *testing.B, delegations int) *Zone {
	b.Helper()
	apex := parseOwners(b, exampleZone)
	z, err := BuildZone("example", func(add func(Owner) error) error {
		for _, o := range apex {
			if err := add(o); err != nil {
				return err
			}
		}
		for i := range delegations {
			if err := add(delegation(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return z
}

func benchRespond(b *testing.B, name func(i int) string) {
	view := NewView(benchZone(b, 200000))
	queries := make([][]byte, 4096)
	for i := range queries {
		q := newQuery(name(i*48), dns.TypeA)
		q.SetEdns0(1232, true)
		queries[i] = pack(b, q)
	}
	var r Responder
	dst := make([]byte, 0, udpReplyRoom)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Respond(dst, queries[i%len(queries)], view, Client{Transport: UDP})
	}
}

func BenchmarkRespondReferral(b *testing.B) {
	benchRespond(b, func(i int) string { return fmt.Sprintf("www.domain-%07d.example", i) })
}

func BenchmarkRespondReferralGlue(b *testing.B) {
	benchRespond(b, func(int) string { return "www.a.example" })
}

func BenchmarkRespondNXDomain(b *testing.B) {
	benchRespond(b, func(i int) string { return fmt.Sprintf("www.absent-%07d.example", i) })
}

// BenchmarkBuildMillion reports what a million delegations take to build and to hold.
func BenchmarkBuildMillion(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		z := benchZone(b, 1_000_000)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "B/delegation")
		runtime.KeepAlive(z)
	}
}

// BenchmarkApply4096 is a publication of 4096 owners scattered over a zone of a million.
func BenchmarkApply4096(b *testing.B) {
	z := benchZone(b, 1_000_000)
	owners := make([]Owner, 4096)
	for i := range owners {
		owners[i] = delegation(i * 244)
	}
	b.ReportAllocs()
	for b.Loop() {
		next, err := z.Apply(owners)
		if err != nil {
			b.Fatal(err)
		}
		z = next
	}
}
