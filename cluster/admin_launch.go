package cluster

import (
	"context"

	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

// AllocationTokens sends all allocation tokens: what they are for, and their hashes, from
// which nobody can make a token.
func (s *adminService) AllocationTokens(_ *clusterpb.AllocationTokensRequest, stream grpc.ServerStreamingServer[clusterpb.AllocationTokensChunk]) error {
	ctx, cancel := context.WithTimeout(stream.Context(), maxStatementTime)
	defer cancel()
	return s.readNewest(ctx, func(tx *store.ReadTx) error {
		chunk := &clusterpb.AllocationTokensChunk{}
		var sendErr error
		tx.EachAllocationToken(func(t *registry.AllocationToken) bool {
			if chunk.Tokens = append(chunk.Tokens, tokenMessage(t)); len(chunk.GetTokens()) == rowsPerChunk {
				sendErr = sendChunk(ctx, stream, chunk)
				chunk = &clusterpb.AllocationTokensChunk{}
			}
			return sendErr == nil
		})
		if sendErr != nil {
			return sendErr
		}
		chunk.Done = true
		return sendChunk(ctx, stream, chunk)
	})
}

func tokenMessage(t *registry.AllocationToken) *clusterpb.AllocationToken {
	out := &clusterpb.AllocationToken{
		TokenSha256: t.SHA256, Name: string(t.Name), Tld: string(t.TLD), Registrar: string(t.Registrar), Unlimited: t.Unlimited,
		ValidFromMs: unixMilli(t.ValidFrom), ValidUntilMs: unixMilli(t.ValidUntil), DiscountPercent: t.DiscountPercent,
		UnlocksReserved: t.UnlocksReserved, CreatedAtMs: unixMilli(t.CreatedAt), CreatedBy: t.CreatedBy, RevokedAtMs: unixMilli(t.RevokedAt),
		Uses: t.Uses, LastUsedAtMs: unixMilli(t.LastUsedAt), LastUsedBy: string(t.LastUsedBy), LastUsedFor: string(t.LastUsedFor),
	}
	if t.HasPrice {
		out.PriceMinor = &t.PriceMinor
	}
	return out
}

// Applications sends the applications that the request asks for.
func (s *adminService) Applications(req *clusterpb.ApplicationsRequest, stream grpc.ServerStreamingServer[clusterpb.ApplicationsChunk]) error {
	ctx, cancel := context.WithTimeout(stream.Context(), maxStatementTime)
	defer cancel()
	return s.readNewest(ctx, func(tx *store.ReadTx) error {
		chunk := &clusterpb.ApplicationsChunk{}
		var sendErr error
		add := func(a *registry.Application) bool {
			if !isAskedFor(req, a) {
				return ctx.Err() == nil
			}
			if chunk.Applications = append(chunk.Applications, applicationMessage(tx, a)); len(chunk.GetApplications()) == rowsPerChunk {
				sendErr = sendChunk(ctx, stream, chunk)
				chunk = &clusterpb.ApplicationsChunk{}
			}
			return sendErr == nil
		}
		if req.GetName() != "" {
			tx.EachApplicationFor(registry.DomainName(req.GetName()), add)
		} else {
			tx.EachApplication(add)
		}
		if sendErr != nil {
			return sendErr
		}
		chunk.Done = true
		return sendChunk(ctx, stream, chunk)
	})
}

func isAskedFor(req *clusterpb.ApplicationsRequest, a *registry.Application) bool {
	return (req.GetTld() == "" || req.GetTld() == string(a.Domain.TLD)) && (req.GetStatus() == 0 || req.GetStatus() == uint32(a.Status))
}

func applicationMessage(tx *store.ReadTx, a *registry.Application) *clusterpb.Application {
	out := &clusterpb.Application{
		Id: a.ID, Name: string(a.Domain.Name), Registrar: string(a.Domain.Sponsor), Phase: a.Phase.String(), Status: uint32(a.Status), StatusName: a.StatusName,
		CreatedAtMs: unixMilli(a.Domain.CreatedAt), StatusAtMs: unixMilli(a.StatusAt), Registrant: string(a.Domain.Registrant), PeriodYears: a.PeriodYears,
	}
	if row, found := tx.LedgerRow(a.ReservedRow); found {
		out.PriceMinor = row.AmountMinor
	}
	for i := range a.Codes {
		code := &a.Codes[i]
		if code.Code != "" {
			out.Codes = append(out.Codes, code.Code)
		}
		if len(code.Mark) > 0 {
			out.Marks++
		}
	}
	return out
}
