package cluster

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// rowsPerChunk keeps a message of a statement or a history well below gRPC's bound.
	rowsPerChunk = 200
	// maxStatementTime bounds how long a statement or a history holds a view of the state.
	maxStatementTime = 2 * time.Minute
)

// Ledger sends the statement of a registrar's account. The running balance starts with the
// account, so that the last one is that of the account unless the statement ends earlier.
func (s *adminService) Ledger(req *clusterpb.LedgerRequest, stream grpc.ServerStreamingServer[clusterpb.LedgerChunk]) error {
	id, err := registry.ParseRegistrarID(req.GetRegistrarId())
	if err != nil {
		return err
	}
	if from, to := req.GetFromMs(), req.GetToMs(); to != 0 && to < from {
		return refuse(registry.CodeParameterRange, "to", "", "a statement ends after it begins")
	}
	ctx, cancel := context.WithTimeout(stream.Context(), maxStatementTime)
	defer cancel()
	return s.readNewest(ctx, func(tx *store.ReadTx) error {
		registrar, found := tx.Registrar(id)
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "registrar", string(id), "there is no such registrar")
		}
		st := &statement{chunk: &clusterpb.LedgerChunk{}, account: store.RegistrarAccount(id), from: req.GetFromMs(), to: req.GetToMs()}
		var sendErr error
		tx.EachLedgerRow(st.account, func(row *store.LedgerRow) bool {
			if row.Currency == registrar.Currency {
				st.add(row)
			}
			if len(st.chunk.GetEntries()) == rowsPerChunk {
				sendErr = sendChunk(ctx, stream, st.chunk)
				st.chunk = &clusterpb.LedgerChunk{}
			}
			return sendErr == nil && !st.over
		})
		if sendErr != nil {
			return sendErr
		}
		st.chunk.Done, st.chunk.Currency = true, registrar.Currency
		st.chunk.OpeningMinor, st.chunk.ClosingMinor = st.opening, st.running
		st.chunk.BalanceMinor = tx.BalanceMinor(st.account, registrar.Currency)
		return sendChunk(ctx, stream, st.chunk)
	})
}

// statement is a statement being made; its rows come oldest first.
type statement struct {
	account  store.Account
	from, to int64 // Unix milliseconds; 0: no bound
	opening  int64
	running  int64
	over     bool
	chunk    *clusterpb.LedgerChunk
}

func (s *statement) add(row *store.LedgerRow) {
	at := row.At.UnixMilli()
	if s.to != 0 && at >= s.to {
		s.over = true
		return
	}
	amount, counterparty := row.AmountMinor, row.From
	if row.From == s.account {
		amount, counterparty = -amount, row.To
	}
	s.running += amount
	if at < s.from {
		s.opening = s.running
		return
	}
	s.chunk.Entries = append(s.chunk.Entries, &clusterpb.LedgerEntry{
		Number: row.Number, AtMs: at, Kind: uint32(row.Kind), AmountMinor: amount, BalanceMinor: s.running, Counterparty: string(counterparty),
		Object: row.Object, Years: row.Years, Undoes: row.Undoes, Index: row.Index,
	})
}

// sendChunk sends a piece unless the time is up.
func sendChunk[M any](ctx context.Context, stream grpc.ServerStreamingServer[M], chunk *M) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return stream.Send(chunk)
}
