package dnsedge

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestUnfit(t *testing.T) {
	source := newMemSource()
	s := serve(t, source, nil)
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	wants := func(what string) {
		t.Helper()
		eventually(t, what, func() bool {
			got := strings.Join(s.Unfit(now), "; ")
			return what == "" && got == "" || what != "" && strings.Contains(got, what)
		})
	}
	wants("no zone is served")
	source.publish("example", 7, ownersOf(t, signZone(t, "example.", signing{}, parseRRs(t, signedZoneText))))
	wants("")
	source.change(func() { source.broken = errors.New("gone") })
	wants("cannot be followed")
	source.change(func() { source.broken = nil })
	wants("")
	now = time.Date(2036, 12, 31, 23, 30, 0, 0, time.UTC) // signatures end at the end of 2036
	wants("the signature of the SOA of example ends at 2036-12-31T23:59:59Z")
}
