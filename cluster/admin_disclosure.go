package cluster

import (
	"context"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/store"
)

// disclosuresPerPage bounds an answer.
const disclosuresPerPage = 500

// DisclosureGrants lists who may see personal data, and who might before.
func (s *adminService) DisclosureGrants(ctx context.Context, _ *clusterpb.DisclosureGrantsRequest) (*clusterpb.DisclosureGrantsResponse, error) {
	out := &clusterpb.DisclosureGrantsResponse{}
	err := s.readNewest(ctx, func(tx *store.ReadTx) error {
		for _, g := range tx.DisclosureGrants() {
			out.Grants = append(out.Grants, &clusterpb.DisclosureGrantRecord{
				Grant: &fsmpb.DisclosureGrant{
					Id: g.ID, Requester: g.Requester, CertificateSha256: g.CertificateSHA256, Purpose: g.Purpose,
					ExpiresAtMs: unixMilli(g.ExpiresAt), Tlds: names(g.TLDs),
				},
				CreatedAtMs: unixMilli(g.CreatedAt), CreatedBy: g.CreatedBy, RevokedAtMs: unixMilli(g.RevokedAt), Disclosures: g.Disclosures,
			})
		}
		return nil
	})
	return out, err
}

// Disclosures returns a page of the answers with personal data that are on record, newest first.
func (s *adminService) Disclosures(ctx context.Context, req *clusterpb.DisclosuresRequest) (*clusterpb.DisclosuresResponse, error) {
	out := &clusterpb.DisclosuresResponse{}
	err := s.readNewest(ctx, func(tx *store.ReadTx) error {
		for _, d := range tx.Disclosures(req.GetGrantId(), req.GetBefore(), disclosuresPerPage) {
			out.Entries = append(out.Entries, &clusterpb.DisclosureEntry{
				Number: d.Number, AtMs: unixMilli(d.At), GrantId: d.GrantID, Requester: d.Requester, Purpose: d.Purpose,
				Kind: uint32(d.Kind), Key: d.Key, Node: d.Node, Address: d.Address,
			})
		}
		return nil
	})
	return out, err
}
