package epp

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func TestEveryRegistryCodeHasAResultCode(t *testing.T) {
	seen := map[int]registry.Code{}
	for code := registry.CodeOK; code <= registry.CodeOverloaded; code++ {
		got := resultCode(code)
		if got < codeOK || got > codeSessionLimitClosing || code.IsSuccess() != (got < 2000) {
			t.Errorf("%s: result code %d", code, got)
		}
		if message(got) == message(codeCommandFailed) && code != registry.CodeConflict && code != registry.CodeInternal && code != registry.CodeOverloaded {
			t.Errorf("%s: no message", code)
		}
		if other, twice := seen[got]; twice && got != codeCommandFailed && got != codeFailedClosing {
			t.Errorf("%s and %s are both %d", code, other, got)
		}
		seen[got] = code
	}
	if got := resultCode(registry.Code(9999)); got != codeCommandFailed {
		t.Errorf("an unknown code is %d", got)
	}
}

func TestMessagesAreThoseOfTheRFC(t *testing.T) {
	for code, want := range map[int]string{
		1000: "Command completed successfully", 1001: "Command completed successfully; action pending",
		1500: "Command completed successfully; ending session", 2002: "Command use error", 2400: "Command failed",
		2501: "Authentication error; server closing connection", 2502: "Session limit exceeded; server closing connection",
	} {
		if got := message(code); got != want {
			t.Errorf("%d: %q, want %q", code, got, want)
		}
	}
}

func TestTransactionIdentifiers(t *testing.T) {
	for _, node := range []string{"n", "n1", strings.Repeat("x", 63)} {
		ids := newTRIDs(node, 1<<63)
		first, second := ids.next(), ids.next()
		if len(first) < 3 || len(first) > 64 || first == second {
			t.Errorf("node %q: %q, %q", node, first, second)
		}
	}
	if a, b := newTRIDs("n1", 1).next(), newTRIDs("n1", 2).next(); a == b {
		t.Errorf("two runs of a node both say %q", a)
	}
	got := logTRID(&fsmpb.Result{Term: 1<<64 - 1, Index: 1<<64 - 1, Position: 1<<32 - 1})
	if len(got) > 64 {
		t.Errorf("%q is too long", got)
	}
}

func TestThrottle(t *testing.T) {
	th := newThrottle()
	now := time.Unix(1_000_000, 0)
	for i := range throttleFailures {
		if th.closed(now, "a") {
			t.Fatalf("closed after %d failures", i)
		}
		th.failed(now, "a", "b")
	}
	if !th.closed(now, "x", "a") || !th.closed(now, "b") || th.closed(now, "x") {
		t.Error("not closed for those who failed, or closed for others")
	}
	if later := now.Add(throttleWindow); th.closed(later, "a") {
		t.Error("closed for ever")
	}
	for i := range 2 * throttleEntries {
		th.failed(now, fmt.Sprint(i))
	}
	if len(th.failures) > throttleEntries {
		t.Errorf("%d entries", len(th.failures))
	}
}

func TestSlots(t *testing.T) {
	s := newSlots(Limits{Connections: 4, ConnectionsPerAddress: 2, SessionsPerRegistrar: 1})
	client, loopback := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("127.0.0.1")
	for i, want := range []bool{true, true, false} {
		if got := s.takeConnection(client); got != want {
			t.Errorf("connection %d of an address: %t", i+1, got)
		}
	}
	for i, want := range []bool{true, true, false} { // two are left of the total
		if got := s.takeConnection(loopback); got != want {
			t.Errorf("connection %d of loopback: %t", i+1, got)
		}
	}
	s.releaseConnection(client)
	if !s.takeConnection(loopback) {
		t.Error("a slot was not given back")
	}
}

func TestClientOf(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "::1": "::1", "127.0.0.1": "127.0.0.1",
	} {
		if got := clientOf(&net.TCPAddr{IP: net.ParseIP(addr)}); got.String() != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestObjectIdentifiers(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		roid, err := newROID("D")
		if err != nil {
			t.Fatal(err)
		}
		if len(roid) != 17 || roid[0] != 'D' || strings.ToUpper(roid) != roid || seen[roid] {
			t.Fatalf("%q", roid)
		}
		seen[roid] = true
	}
}

func TestAuthInfoHash(t *testing.T) {
	salt := bytes.Repeat([]byte{7}, saltOctets)
	stored := registry.AuthInfo{Salt: salt, Hash: hashAuthInfo(salt, "right")}
	for password, want := range map[string]bool{"right": true, "wrong": false, "": false, "righ": false} {
		if got := matchesAuthInfo(stored, password); got != want {
			t.Errorf("%q: %t", password, got)
		}
	}
	if matchesAuthInfo(registry.AuthInfo{}, "") {
		t.Error("nothing matches what is not set")
	}
}

func TestCheckEmail(t *testing.T) {
	for address, want := range map[string]bool{
		"a@b.example": true, "first.last+tag@mail.example.com": true, "x_y!z@xn--bcher-kva.example": true,
		strings.Repeat("a", 64) + "@b.example": true, strings.Repeat("a", 65) + "@b.example": false,
		"": false, "@": false, "a": false, "a@": false, "a@b": false, "@b.example": false, "a..b@c.example": false, ".a@c.example": false,
		"a b@c.example": false, "a@b@c.example": false, "a@b.example.": false, "ä@b.example": false, "a@b_c.example": false,
		"a@" + strings.Repeat("b.", 130) + "example": false,
	} {
		if got := checkEmail(address) == nil; got != want {
			t.Errorf("%q: %t, want %t", address, got, want)
		}
	}
}

func TestCheckCountry(t *testing.T) {
	for code, want := range map[string]bool{"DE": true, "ZW": true, "AD": true, "XX": false, "UK": false, "de": false, "": false, "D": false, "E ": false, "DEU": false} {
		if got := checkCountry(code) == nil; got != want {
			t.Errorf("%q: %t, want %t", code, got, want)
		}
	}
	if n := len(strings.Fields(countryCodes)); n != 249 {
		t.Errorf("%d country codes, ISO 3166-1 has 249", n)
	}
}
