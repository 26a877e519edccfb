package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// contactCheck is <check> of contacts (RFC 5733 section 3.1.1).
func (c *call) contactCheck(ctx context.Context, q *eppxml.ContactCheck) (*answer, error) {
	if err := checkCount(len(q.IDs)); err != nil {
		return nil, err
	}
	results := make([]eppxml.CheckResult, 0, len(q.IDs))
	err := c.view(ctx, func(tx *store.ReadTx) error {
		results = results[:0]
		for _, id := range q.IDs {
			results = append(results, checked(id, contactUnavailable(tx, id)))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ok(eppxml.AppendContactChkData(nil, results)), nil
}

func contactUnavailable(tx *store.ReadTx, given string) string {
	id, err := registry.ParseContactID(given)
	switch {
	case err != nil:
		return reasonSyntax
	case tx.HasContact(id):
		return reasonInUse
	default:
		return ""
	}
}
