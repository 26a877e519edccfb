package fsm

import (
	"cadastre/policy"
	"cadastre/registry"
)

// presentedToken returns the token that the acting registrar presents for the name, nil if
// it presents none; an error if it does not apply.
func (r *run) presentedToken(sha256 []byte, tld *registry.TLD, name registry.DomainName) (*registry.AllocationToken, error) {
	if len(sha256) == 0 {
		return nil, nil
	}
	token, _ := r.tx.AllocationToken(sha256)
	if err := policy.CheckToken(token, r.registrarID(), tld.Name, name, r.now); err != nil {
		return nil, err
	}
	return token, nil
}

// spendToken notes that the token, nil for none, was used for the name.
func (r *run) spendToken(token *registry.AllocationToken, name registry.DomainName) {
	if token == nil {
		return
	}
	next := *token
	next.Uses++
	next.LastUsedAt, next.LastUsedBy, next.LastUsedFor = r.now, r.registrarID(), name
	r.tx.PutAllocationToken(&next)
}

func (k *checker) presentedToken(sha256 []byte) {
	if len(sha256) > 0 {
		k.sha256("allocationToken", sha256)
	}
}
