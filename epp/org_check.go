package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// orgCheck is <check> of organisations (RFC 8543 section 4.1.1).
func (c *call) orgCheck(ctx context.Context, q *eppxml.OrgCheck) (*answer, error) {
	if err := checkCount(len(q.IDs)); err != nil {
		return nil, err
	}
	results := make([]eppxml.CheckResult, 0, len(q.IDs))
	err := c.view(ctx, func(tx *store.ReadTx) error {
		results = results[:0]
		for _, id := range q.IDs {
			results = append(results, checked(id, orgUnavailable(tx, id)))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ok(eppxml.AppendOrgChkData(nil, results)), nil
}

func orgUnavailable(tx *store.ReadTx, given string) string {
	id, err := registry.ParseOrgID(given)
	switch {
	case err != nil:
		return reasonSyntax
	case tx.HasOrg(id):
		return reasonInUse
	default:
		return ""
	}
}
