package publisher

import (
	"maps"
	"slices"
	"sync"
	"time"

	"cadastre/registry"
)

// Alarm says why a zone is not published; its last publication stays in force.
type Alarm struct {
	TLD    registry.DomainName
	Since  time.Time
	Reason string
}

// Alarms holds the alarms of a node. The zero value holds none; it may be used by several goroutines.
type Alarms struct {
	mu    sync.Mutex
	byTLD map[registry.DomainName]Alarm
}

// set notes that the zone is not published and says whether that is news.
func (a *Alarms) set(tld registry.DomainName, reason string, now time.Time) (news bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byTLD == nil {
		a.byTLD = make(map[registry.DomainName]Alarm)
	}
	old, found := a.byTLD[tld]
	if !found {
		old.Since = now
	}
	a.byTLD[tld] = Alarm{TLD: tld, Since: old.Since, Reason: reason}
	return old.Reason != reason
}

// clear notes that the zone is published again.
func (a *Alarms) clear(tld registry.DomainName) (had bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, had = a.byTLD[tld]
	delete(a.byTLD, tld)
	return had
}

// reset forgets all: the node leads no more.
func (a *Alarms) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byTLD = nil
}

// List returns the alarms, by zone.
func (a *Alarms) List() []Alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []Alarm
	for _, tld := range slices.Sorted(maps.Keys(a.byTLD)) {
		list = append(list, a.byTLD[tld])
	}
	return list
}
