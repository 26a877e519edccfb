package cluster

import (
	"context"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// rowsPerPage bounds the rows of one answer, so that it stays well below gRPC's bound.
const rowsPerPage = 1000

// ListLabels returns a page of the premium or the reserved labels on the list of a TLD; those
// of its policy come with the policy.
func (s *adminService) ListLabels(ctx context.Context, req *clusterpb.ListLabelsRequest) (*clusterpb.ListLabelsResponse, error) {
	name, err := registry.ParseDomainName(req.GetTld())
	if err != nil {
		return nil, err
	}
	out := &clusterpb.ListLabelsResponse{}
	add := func(p *fsmpb.PremiumName) bool {
		if out.More = len(out.GetNames()) == rowsPerPage; !out.GetMore() {
			out.Names = append(out.Names, p)
		}
		return !out.GetMore()
	}
	err = s.readNewest(ctx, func(tx *store.ReadTx) error {
		if _, ok := tx.TLD(name); !ok {
			return refuse(registry.CodeObjectDoesNotExist, "tld", string(name), "there is no such TLD here")
		}
		if req.GetReserved() {
			tx.EachReserved(name, req.GetAfter(), func(label string) bool { return add(&fsmpb.PremiumName{Label: label}) })
			return nil
		}
		tx.EachPremiumName(name, req.GetAfter(), func(p registry.PremiumName) bool {
			return add(&fsmpb.PremiumName{Label: p.Label, Class: p.Class, CreatePriceMinor: p.CreatePriceMinor, RenewPriceMinor: p.RenewPriceMinor, RestorePriceMinor: p.RestorePriceMinor})
		})
		return nil
	})
	return out, err
}

// HostUsers returns a page of the domains that are delegated to a host, with their sponsors.
func (s *adminService) HostUsers(ctx context.Context, req *clusterpb.HostUsersRequest) (*clusterpb.HostUsersResponse, error) {
	name, err := registry.ParseDomainName(req.GetName())
	if err != nil {
		return nil, err
	}
	var out *clusterpb.HostUsersResponse
	err = s.readNewest(ctx, func(tx *store.ReadTx) error {
		host, found := tx.Host(name)
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "name", string(name), "there is no such host")
		}
		out = &clusterpb.HostUsersResponse{Sponsor: string(host.Sponsor), FormerName: string(host.FormerName)}
		users := tx.HostUsersAfter(name, registry.DomainName(req.GetAfter()), rowsPerPage+1)
		if out.More = len(users) > rowsPerPage; out.GetMore() {
			users = users[:rowsPerPage]
		}
		for _, user := range users {
			if domain, found := tx.Domain(user); found {
				out.Users = append(out.Users, &clusterpb.HostUser{Domain: string(user), Sponsor: string(domain.Sponsor)})
			}
		}
		return nil
	})
	return out, err
}
