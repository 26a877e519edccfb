package epp

import (
	"crypto/sha256"

	"cadastre/epp/eppxml"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// reasonTokenMismatch is what a check says of names that the token presented does not open,
// in the words of the examples of RFC 8495 section 3.1.1.
const reasonTokenMismatch = "Allocation Token mismatch"

// allocationTokenElements are what commands carry of allocation tokens (RFC 8495 section 3).
func allocationTokenElements() []extensionElement {
	return []extensionElement{
		{"allocationToken", takesAllocationToken, func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.allocationToken, err = eppxml.DecodeAllocationToken(e)
			return err
		}},
		{"info", isBody[*eppxml.DomainInfo], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.tokenInfo, err = eppxml.DecodeAllocationTokenInfo(e)
			return err
		}},
	}
}

func takesAllocationToken(body eppxml.Body) bool {
	return isBody[*eppxml.DomainCheck](body) || isBody[*eppxml.DomainCreate](body) || isTransferRequest(body)
}

// tokenHash returns what the registry knows of the token that the command presents, nil if
// it presents none. The token itself goes no further than this.
func (c *call) tokenHash() []byte {
	presented := c.extensions.allocationToken
	if presented == nil {
		return nil
	}
	sum := sha256.Sum256([]byte(presented.Token))
	return sum[:]
}

// checkedToken returns the token that the command presents if it applies to the name, and
// whether it presents one that does not.
func (c *call) checkedToken(tx *store.ReadTx, tld *registry.TLD, name registry.DomainName) (token *registry.AllocationToken, mismatch bool) {
	hash := c.tokenHash()
	if hash == nil {
		return nil, false
	}
	token, _ = tx.AllocationToken(hash)
	if policy.CheckToken(token, c.registrar, tld.Name, name, tx.Now()) != nil {
		return nil, true
	}
	return token, false
}

// refuseTokenInfo answers <allocationToken:info>. Tokens are kept as hashes only, so that no
// client is one that may have them back: 2303 for a name that no token was made for, 2201
// otherwise (RFC 8495 section 3.1.2).
func refuseTokenInfo(tx *store.ReadTx, name registry.DomainName) error {
	if !tx.HasAllocationToken(name) {
		return refuse(registry.CodeObjectDoesNotExist, "allocationToken", "", "there is no allocation token for the name")
	}
	return refuse(registry.CodeAuthorization, "allocationToken", "", "allocation tokens are not kept and cannot be shown; ask the registry for a new one")
}
