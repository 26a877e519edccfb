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
