package store

import "cadastre/registry"

// PremiumName returns the entry of a label on the list of premium names of the TLD.
func (tx *ReadTx) PremiumName(tld registry.DomainName, label string) (*registry.PremiumName, bool) {
	value, ok := tx.get(tablePremium.key().str(string(tld)).tail(label))
	if !ok {
		return nil, false
	}
	p := decodePremiumName(value)
	return &p, true
}

// EachPremiumName calls fn for the entries of the TLD's list after the given label, by label,
// until it returns false.
func (tx *ReadTx) EachPremiumName(tld registry.DomainName, after string, fn func(registry.PremiumName) bool) {
	prefix := tablePremium.key().str(string(tld))
	tx.scan(prefix, afterLabel(tablePremium, tld, after), func(_, value []byte) bool { return fn(decodePremiumName(value)) })
}

// PutPremiumName puts an entry on the list of the TLD or replaces it.
func (tx *Tx) PutPremiumName(tld registry.DomainName, p *registry.PremiumName) {
	var e encoder
	e.premiumName(1, p)
	tx.set(tablePremium.key().str(string(tld)).tail(p.Label), e.b)
}

// DeletePremiumName takes a label off the list of the TLD.
func (tx *Tx) DeletePremiumName(tld registry.DomainName, label string) {
	tx.del(tablePremium.key().str(string(tld)).tail(label))
}

func decodePremiumName(value []byte) registry.PremiumName {
	var p registry.PremiumName
	decodeRow("premium name", value, func(d *decoder) {
		for d.next() {
			if d.num != 1 {
				d.unknown()
			}
			p = d.premiumName()
		}
	})
	return p
}

// IsReserved says whether the label is on the list of reserved ones of the TLD.
func (tx *ReadTx) IsReserved(tld registry.DomainName, label string) bool {
	return tx.has(tableReserved.key().str(string(tld)).tail(label))
}

// EachReserved calls fn for the reserved labels on the TLD's list after the given one, in
// order, until it returns false.
func (tx *ReadTx) EachReserved(tld registry.DomainName, after string, fn func(label string) bool) {
	tx.scan(tableReserved.key().str(string(tld)), afterLabel(tableReserved, tld, after), func(rest, _ []byte) bool { return fn(string(rest)) })
}

// PutReserved puts a label on the list of reserved ones of the TLD.
func (tx *Tx) PutReserved(tld registry.DomainName, label string) {
	tx.set(tableReserved.key().str(string(tld)).tail(label), nil)
}

// DeleteReserved takes a label off the list of reserved ones of the TLD.
func (tx *Tx) DeleteReserved(tld registry.DomainName, label string) {
	tx.del(tableReserved.key().str(string(tld)).tail(label))
}

// afterLabel is where the rows after a label begin, nil for all.
func afterLabel(t table, tld registry.DomainName, after string) key {
	if after == "" {
		return nil
	}
	return append(t.key().str(string(tld)).tail(after), 0)
}
