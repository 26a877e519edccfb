package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// hostCheck is <check> of hosts (RFC 5732 section 3.1.1).
func (c *call) hostCheck(ctx context.Context, q *eppxml.HostCheck) (*answer, error) {
	if err := checkCount(len(q.Names)); err != nil {
		return nil, err
	}
	results := make([]eppxml.CheckResult, 0, len(q.Names))
	err := c.view(ctx, func(tx *store.ReadTx) error {
		results = results[:0]
		for _, name := range q.Names {
			results = append(results, checked(name, hostUnavailable(tx, name)))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ok(eppxml.AppendHostChkData(nil, results)), nil
}

// hostUnavailable says why no host of the name can be made, "" if one can: whether its
// superordinate domain is the client's own is for the create to say.
func hostUnavailable(tx *store.ReadTx, given string) string {
	name, err := registry.ParseDomainName(given)
	if err != nil {
		return reasonSyntax
	}
	if _, isTLD := tx.TLD(name); isTLD {
		return reasonIsTLD
	}
	if tx.HasHost(name) {
		return reasonInUse
	}
	return ""
}
