package fsm

import (
	"fmt"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// trustPut sets the authorities that every member trusts.
func (r *run) trustPut(c *fsmpb.TrustPut) (*fsmpb.Result, error) {
	version, _ := r.tx.Trust()
	if version != c.GetExpectedVersion() {
		return nil, refuse(registry.CodeConflict, "expected_version", fmt.Sprint(c.GetExpectedVersion()), "the trusted authorities were changed meanwhile: version %d", version)
	}
	if r.tx.FeatureLevel() >= registry.LevelRetention {
		for i, der := range c.GetAuthorities() {
			if !isCertificate(der) {
				return nil, refuse(registry.CodeParameterSyntax, "authorities", fmt.Sprint(i), "it is not a certificate in DER (RFC 5280)")
			}
		}
	}
	r.tx.PutTrust(version+1, c.GetAuthorities())
	return ok(), nil
}
