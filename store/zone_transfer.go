package store

import (
	"context"
	"sync"

	"cadastre/registry"
)

// longViews are the views whose readers may take minutes. Nothing may replace or close the state while one is open, so
// who wants to do that ends them first.
type longViews struct {
	mu      sync.Mutex
	closing int
	next    uint64
	cancel  map[uint64]context.CancelFunc
}

// LongView is View for a reader that may take long, such as one that waits for a network. The context of fn ends when
// ctx does or when the state is to be replaced or closed; fn must return soon then.
func (s *Store) LongView(ctx context.Context, fn func(ctx context.Context, tx *ReadTx) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.long.add(cancel)()
	return s.View(func(tx *ReadTx) error { return fn(ctx, tx) })
}

// add notes a view and returns what forgets it again.
func (l *longViews) add(cancel context.CancelFunc) (remove func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing > 0 {
		cancel()
	}
	if l.cancel == nil {
		l.cancel = make(map[uint64]context.CancelFunc)
	}
	l.next++
	id := l.next
	l.cancel[id] = cancel
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.cancel, id)
	}
}

// end ends all long views, those that begin before done is called included.
func (l *longViews) end() (done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing++
	for _, cancel := range l.cancel {
		cancel()
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.closing--
	}
}

// EachPublication calls fn for the publications after number after, oldest first, until it returns false, and says
// whether the journal reaches back that far. Unlike Journal it holds one of them at a time.
func (tx *ReadTx) EachPublication(tld registry.DomainName, after uint64, fn func(Publication) bool) (reaches bool) {
	want, stopped := after+1, false
	prefix := tableJournal.key().str(string(tld))
	tx.scan(prefix, tableJournal.key().str(string(tld)).uint(want), func(rest, value []byte) bool {
		if decodeUint("journal", rest) != want {
			return false
		}
		p := decodePublication(value)
		p.Number = want
		want++
		stopped = !fn(p)
		return !stopped
	})
	return stopped || want-1 == tx.ZoneState(tld).Publications
}

// EachNSEC3 calls fn for the NSEC3 records of the zone, with their signatures, by hash until it returns false.
func (tx *ReadTx) EachNSEC3(tld registry.DomainName, fn func(rrs []byte) bool) {
	tx.EachChainRow(tld, []byte{byte(registry.DenialNSEC3)}, func(key, row []byte) bool {
		return key[0] == byte(registry.DenialNSEC3) && fn(row)
	})
}
