package publisher

import (
	"fmt"

	"cadastre/dnssec"
	"cadastre/registry"
	"cadastre/store"
)

// Unsigned is the keyring of a node without keys: zones that are to be signed are not published.
type Unsigned struct{}

// Keys returns nil for a zone that is not to be signed.
func (Unsigned) Keys(_ *store.ReadTx, tld *registry.TLD) (*dnssec.KeySet, error) {
	if tld.Policy.Signing.Denial != registry.DenialNone {
		return nil, fmt.Errorf("the zone %s is to be signed, but there is no key", tld.Name)
	}
	return nil, nil
}
