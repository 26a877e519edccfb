package epp

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// TestRates: bursts go through, then commands are spread, then they are refused.
func TestRates(t *testing.T) {
	r, now := newRates(), startOfTime()
	queries := rateKey{registrarA, rateQueries}
	for i := range 20 {
		if wait, admitted := r.take(now, queries, 10); wait != 0 || !admitted {
			t.Fatalf("command %d of a burst waits %v, %v", i, wait, admitted)
		}
	}
	for i := range 20 {
		wait, admitted := r.take(now, queries, 10)
		if want := time.Duration(i+1) * 100 * time.Millisecond; !admitted || wait.Round(time.Millisecond) != want {
			t.Fatalf("command %d over the rate waits %v, %v, want %v", i, wait, admitted, want)
		}
	}
	if _, admitted := r.take(now, queries, 10); admitted {
		t.Error("the queue of waiting commands has no end")
	}
	for _, other := range []rateKey{{registrarA, rateTransforms}, {registrarB, rateQueries}} {
		if wait, admitted := r.take(now, other, 10); wait != 0 || !admitted {
			t.Errorf("%v pays for %v", other, queries)
		}
	}
	if wait, admitted := r.take(now.Add(time.Hour), queries, 10); wait != 0 || !admitted {
		t.Errorf("after an hour a command waits %v, %v", wait, admitted)
	}
}

// TestRatesHold: whatever comes when, no more than the burst and the rate get through.
func TestRatesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, now := newRates(), startOfTime()
		rate := rapid.Uint32Range(1, 50).Draw(t, "rate")
		var served []time.Time
		for range rapid.IntRange(1, 300).Draw(t, "commands") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "ms")) * time.Millisecond)
			wait, admitted := r.take(now, rateKey{registrarA, rateQueries}, rate)
			if wait > maxRateDelay || wait < 0 {
				t.Fatalf("a command waits %v", wait)
			}
			if admitted {
				served = append(served, now.Add(wait))
			}
		}
		for i := range served {
			for j := i; j < len(served); j++ {
				most := float64(rate)*(served[j].Sub(served[i]).Seconds()+burstSeconds) + 1.01
				if float64(j-i+1) > most {
					t.Fatalf("%d commands in %v at %d a second", j-i+1, served[j].Sub(served[i]), rate)
				}
			}
		}
	})
}

func TestRateKinds(t *testing.T) {
	for _, c := range []struct {
		body eppxml.Body
		want rateKind
	}{
		{&eppxml.DomainCheck{}, rateQueries}, {&eppxml.ContactInfo{}, rateQueries}, {&eppxml.Poll{Op: eppxml.PollRequest}, rateQueries},
		{&eppxml.DomainTransfer{Op: eppxml.TransferQuery}, rateQueries}, {&eppxml.ContactTransfer{Op: eppxml.TransferQuery}, rateQueries},
		{&eppxml.DomainTransfer{Op: eppxml.TransferRequest}, rateTransforms}, {&eppxml.ContactTransfer{Op: eppxml.TransferReject}, rateTransforms},
		{&eppxml.Poll{Op: eppxml.PollAck}, rateTransforms}, {&eppxml.HostCreate{}, rateTransforms}, {&eppxml.DomainRenew{}, rateTransforms},
	} {
		if got := rateKindOf(c.body); got != c.want {
			t.Errorf("%T counts as a %s", c.body, got)
		}
	}
}

// TestARegistrarThatIsTooFast: a rate in the record holds on loopback too; the session that is
// refused goes on, and the refusal is no fault of the server.
func TestARegistrarThatIsTooFast(t *testing.T) {
	var log syncBuffer
	h := newHarness(t, Limits{}, &log)
	c, one := h.login(t, registrarA, passwordA), uint32(1)
	for range 50 {
		c.want(codeOK, checkFrame("a.example")) // no limit on loopback without one in the record
	}
	h.changeRegistrar(t, &fsmpb.RegistrarUpdate{QueryRate: &one})
	h.server.rates.mu.Lock()
	h.server.rates.buckets[rateKey{registrarA, rateQueries}] = &bucket{tokens: -2, at: time.Now().Add(time.Hour)}
	h.server.rates.mu.Unlock()
	r := c.want(codeCommandFailed, checkFrame("a.example"))
	if reason := strings.Join(r.Results[0].Reasons, " "); !strings.Contains(reason, "1 query commands a second") {
		t.Errorf("the reason is %q", reason)
	}
	c.want(codeOK, hostFrame("ns1.elsewhere.test")) // transforms have an allowance of their own
	h.login(t, registrarB, passwordB).want(codeOK, checkFrame("a.example"))
	if stats := h.server.Stats(); stats.RateRefused != 1 || stats.Sessions != 2 || stats.Connections != 2 {
		t.Errorf("the numbers of the server are %+v", stats)
	}
	h.stop()
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("a client that is too fast is an error of the server:\n%s", log.String())
	}
}

// TestCommandsOverTheRateWait: a command that comes a little too early is done later.
func TestCommandsOverTheRateWait(t *testing.T) {
	h := newHarness(t, Limits{QueryRate: 1}, io.Discard)
	h.stop()
	standing, err := h.registry.Standing(t.Context(), registrarA)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := offline(h.server, "192.0.2.1", registrarA)
		s.registrar, s.record = registrarA, standing.Registrar
		c := &call{server: h.server, registrar: registrarA}
		began := time.Now()
		for range burstSeconds + 2 {
			if a, err := s.slowDown(t.Context(), c, &eppxml.DomainCheck{}); a != nil || err != nil {
				t.Fatalf("refused: %v, %v", a, err)
			}
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("two commands over a burst of %d at one a second took %v", burstSeconds, took)
		}
	})
}
