package dnsedge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	// notifyTimeout bounds one NOTIFY or SOA query and its answer.
	notifyTimeout = 3 * time.Second
	// notifyInterval spaces what is sent to one secondary about one zone: serials that come faster are told together.
	notifyInterval = 500 * time.Millisecond
	// notifyRetryMax bounds the wait, doubled from a second on, before a secondary that did not answer is told again.
	notifyRetryMax = time.Minute
	// checkInterval is how often a secondary is asked for its serial while it is behind, checkIdleInterval while it is not.
	checkInterval     = 2 * time.Second
	checkIdleInterval = time.Minute
	// maxSecondaries bounds the secondaries; each has a goroutine.
	maxSecondaries = 256
)

// Secondary is a server that copies zones from this one.
type Secondary struct {
	Name    string
	Address netip.AddrPort
	// Zones are those that it serves; none: all.
	Zones []string
	// Key is the TSIG key that signs what is sent to it; "": none.
	Key string
}

// SecondaryStatus is what is known of one zone on one secondary.
type SecondaryStatus struct {
	Name    string
	Address netip.AddrPort
	Zone    string
	Serial  uint32 // served here
	// Acknowledged is the last serial of which the secondary acknowledged the NOTIFY, Held the one that it serves by its
	// own word or after its last transfer; valid if the time beside is not zero.
	Acknowledged, Held     uint32
	AcknowledgedAt, HeldAt time.Time
	Attempts               int    // NOTIFY messages in a row without an acknowledgement
	Error                  string // of the last one, "" if it went well
}

// IsCurrent says whether the secondary serves what is served here, as far as is known.
func (s *SecondaryStatus) IsCurrent() bool { return !s.HeldAt.IsZero() && s.Held == s.Serial }

// notifier tells secondaries of new serials.
type notifier struct {
	log       *slog.Logger
	followers []*follower
}

// follower is one secondary with the state of its zones.
type follower struct {
	Secondary
	key    *tsigKey
	log    *slog.Logger
	signal chan struct{} // something is new, coalesced

	mu    sync.Mutex
	zones map[string]*followedZone
}

type followedZone struct {
	SecondaryStatus
	nextNotify, nextCheck time.Time
}

func newNotifier(secondaries []Secondary, keys tsigKeys, log *slog.Logger) (*notifier, error) {
	if len(secondaries) > maxSecondaries {
		return nil, fmt.Errorf("dns: %d secondaries, want at most %d", len(secondaries), maxSecondaries)
	}
	n := &notifier{log: log}
	for _, s := range secondaries {
		if !s.Address.IsValid() || s.Address.Port() == 0 {
			return nil, fmt.Errorf("dns: secondary %q: want an IP address and port such as 192.0.2.1:53", s.Name)
		}
		f := &follower{Secondary: s, log: log.With("secondary", s.Name), signal: make(chan struct{}, 1), zones: make(map[string]*followedZone)}
		if s.Key != "" {
			if f.key = keys.find(s.Key); f.key == nil {
				return nil, fmt.Errorf("dns: secondary %q names the TSIG key %q, which is not configured", s.Name, s.Key)
			}
		}
		n.followers = append(n.followers, f)
	}
	return n, nil
}

// published takes note of the serials that are served from now on.
func (n *notifier) published(view *View) {
	for _, f := range n.followers {
		if f.update(view) {
			select {
			case f.signal <- struct{}{}:
			default:
			}
		}
	}
}

// update says whether anything is new.
func (f *follower) update(view *View) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := false
	for tld := range f.zones {
		if view.Zone(tld) == nil {
			delete(f.zones, tld)
		}
	}
	for _, z := range view.zones {
		if len(f.Zones) > 0 && !slices.ContainsFunc(f.Zones, func(name string) bool { return zoneName(name) == z.tld }) {
			continue
		}
		state := f.zones[z.tld]
		if state == nil {
			state = &followedZone{SecondaryStatus: SecondaryStatus{Name: f.Name, Address: f.Address, Zone: z.tld}}
			f.zones[z.tld] = state
			changed = true
		}
		if state.Serial != z.serial {
			state.Serial, changed = z.serial, true
			state.nextCheck = earlier(state.nextCheck, time.Now().Add(checkInterval))
		}
	}
	return changed
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// run follows every secondary until the context is done.
func (n *notifier) run(ctx context.Context) {
	var group sync.WaitGroup
	for _, f := range n.followers {
		group.Go(func() { f.run(ctx) })
	}
	group.Wait()
}

func (f *follower) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.signal:
		case <-timer.C:
		}
		for ctx.Err() == nil && f.step(ctx) {
			continue
		}
		timer.Reset(f.wait())
	}
}

// due is one message to be sent.
type due struct {
	zone   string
	serial uint32
	notify bool // else a question for the serial
}

// step sends what is due first; false if nothing is.
func (f *follower) step(ctx context.Context) bool {
	d, found := f.due(time.Now())
	if !found {
		return false
	}
	if d.notify {
		err := f.notify(ctx, d)
		f.notified(d, err)
		return true
	}
	serial, err := f.ask(ctx, d.zone)
	f.checked(d.zone, serial, err)
	return true
}

func (f *follower) due(now time.Time) (due, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, tld := range f.sorted() {
		z := f.zones[tld]
		switch {
		case z.unacknowledged() && !now.Before(z.nextNotify):
			return due{zone: tld, serial: z.Serial, notify: true}, true
		case !now.Before(z.nextCheck):
			return due{zone: tld}, true
		}
	}
	return due{}, false
}

// sorted returns the zones in a fixed order; f.mu is held.
func (f *follower) sorted() []string {
	var names []string
	for tld := range f.zones {
		names = append(names, tld)
	}
	slices.Sort(names)
	return names
}

func (z *followedZone) unacknowledged() bool {
	return z.AcknowledgedAt.IsZero() || z.Acknowledged != z.Serial
}

// wait returns how long nothing is due.
func (f *follower) wait() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := time.Now().Add(checkIdleInterval)
	for _, z := range f.zones {
		next = earlier(next, z.nextCheck)
		if z.unacknowledged() {
			next = earlier(next, z.nextNotify)
		}
	}
	return max(time.Until(next), 0)
}

func (f *follower) notified(d due, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	z := f.zones[d.zone]
	if z == nil {
		return
	}
	now := time.Now()
	if err != nil {
		z.Attempts++
		z.Error = err.Error()
		z.nextNotify = now.Add(min(time.Second<<min(z.Attempts-1, 6), notifyRetryMax))
		level := slog.LevelDebug
		if z.Attempts == 1 { // once for a silence, however long
			level = slog.LevelWarn
		}
		f.log.Log(context.Background(), level, "NOTIFY was not acknowledged", "zone", d.zone, "serial", d.serial, "attempts", z.Attempts, "error", err)
		return
	}
	if z.Attempts > 0 {
		f.log.Info("NOTIFY is acknowledged again", "zone", d.zone, "serial", d.serial)
	}
	z.Acknowledged, z.AcknowledgedAt, z.Attempts, z.Error = d.serial, now, 0, ""
	z.nextNotify = now.Add(notifyInterval)
	z.nextCheck = earlier(z.nextCheck, now.Add(checkInterval))
}

func (f *follower) checked(zone string, serial uint32, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	z := f.zones[zone]
	if z == nil {
		return
	}
	now := time.Now()
	if err == nil {
		z.Held, z.HeldAt = serial, now
	} else if z.Error == "" {
		z.Error = err.Error()
	}
	z.nextCheck = now.Add(checkIdleInterval)
	if err == nil && !z.IsCurrent() {
		z.nextCheck = now.Add(checkInterval)
	}
}

// held takes note of a finished transfer to a client that is one of the secondaries.
func (n *notifier) held(zone string, client netip.Addr, keyName string, serial uint32) {
	for _, f := range n.followers {
		if f.Address.Addr().Unmap() != client.Unmap() || f.key != nil && f.key.name != keyName {
			continue
		}
		f.mu.Lock()
		if z := f.zones[zone]; z != nil && n.countAt(client) == 1 {
			z.Held, z.HeldAt = serial, time.Now()
		}
		f.mu.Unlock()
	}
}

// countAt counts the secondaries at an address: where there are several, a transfer does not tell which it was.
func (n *notifier) countAt(client netip.Addr) int {
	count := 0
	for _, f := range n.followers {
		if f.Address.Addr().Unmap() == client.Unmap() {
			count++
		}
	}
	return count
}

// notify sends one NOTIFY (RFC 1996 section 3.7: with the SOA's serial as a hint).
func (f *follower) notify(ctx context.Context, d due) error {
	m := new(dns.Msg).SetNotify(dns.Fqdn(d.zone))
	r, err := f.exchange(ctx, m)
	if err != nil {
		return err
	}
	if r.Rcode != dns.RcodeSuccess || r.Opcode != dns.OpcodeNotify {
		return fmt.Errorf("%s answered NOTIFY with %s", f.Address, dns.RcodeToString[r.Rcode])
	}
	return nil
}

// ask returns the serial that the secondary serves.
func (f *follower) ask(ctx context.Context, zone string) (uint32, error) {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(zone), dns.TypeSOA)
	m.RecursionDesired = false
	r, err := f.exchange(ctx, m)
	if err != nil {
		return 0, err
	}
	for _, rr := range r.Answer {
		if soa, ok := rr.(*dns.SOA); ok && zoneName(soa.Hdr.Name) == zone {
			return soa.Serial, nil
		}
	}
	return 0, fmt.Errorf("%s answered the question for its serial with %s", f.Address, dns.RcodeToString[r.Rcode])
}

// exchange asks over UDP.
func (f *follower) exchange(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	client := &dns.Client{Timeout: notifyTimeout}
	f.key.sign(m, client)
	r, _, err := client.ExchangeContext(ctx, m, f.Address.String())
	if err != nil {
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			return nil, fmt.Errorf("%s did not answer within %s", f.Address, notifyTimeout)
		}
		return nil, fmt.Errorf("ask %s: %w", f.Address, err)
	}
	if !r.Response { // nobody listens there, and the kernel chose that very port to ask from
		return nil, fmt.Errorf("ask %s: the question came back", f.Address)
	}
	return r, nil
}

// status lists what is known, by secondary as configured and by zone.
func (n *notifier) status() []SecondaryStatus {
	var out []SecondaryStatus
	for _, f := range n.followers {
		f.mu.Lock()
		for _, tld := range f.sorted() {
			out = append(out, f.zones[tld].SecondaryStatus)
		}
		f.mu.Unlock()
	}
	return out
}
