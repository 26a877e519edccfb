package store

import "cadastre/registry"

// EachDomainFrom calls fn for the registered domains whose names begin with prefix and come after the
// given one, by name, until it returns false.
func (tx *ReadTx) EachDomainFrom(prefix, after string, fn func(registry.DomainName) bool) {
	tx.eachName(tableDomain, prefix, after, fn)
}

// EachHostFrom is EachDomainFrom for host objects.
func (tx *ReadTx) EachHostFrom(prefix, after string, fn func(registry.DomainName) bool) {
	tx.eachName(tableHost, prefix, after, fn)
}

func (tx *ReadTx) eachName(t table, prefix, after string, fn func(registry.DomainName) bool) {
	var start key
	if after >= prefix && after != "" {
		start = append(t.key().tail(after), 0)
	}
	tx.scan(t.key().tail(prefix), start, func(rest, _ []byte) bool { return fn(registry.DomainName(prefix + string(rest))) })
}
