package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

// statementDocument is a statement of a registrar's account. Amounts are decimal.
type statementDocument struct {
	Registrar string          `json:"registrar"`
	Currency  string          `json:"currency"`
	Opening   string          `json:"opening_balance"`
	Entries   []entryDocument `json:"entries"`
	Closing   string          `json:"closing_balance"`
	Balance   string          `json:"balance_now"`
}

type entryDocument struct {
	Number       uint64 `json:"number"`
	At           string `json:"at"`
	Kind         string `json:"kind"`
	Object       string `json:"object"`
	Years        uint32 `json:"years"`
	Amount       string `json:"amount"`
	Balance      string `json:"balance"`
	Counterparty string `json:"counterparty"`
	Undoes       uint64 `json:"undoes"`
	RaftIndex    uint64 `json:"raft_index"`
}

func newRegistrarLedgerCommand(a *app, flags *connFlags) *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "ledger ID",
		Short: "Show the statement of a registrar's account",
		Long: `Shows every row of the registrar's account with the balance after it. The price of a pending
transfer is reserved first; its end releases and, if it was approved, charges it.`,
		Example: "  cadastre registrar ledger acme --from 2027-01-01 --to 2027-02-01 --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := &clusterpb.LedgerRequest{RegistrarId: args[0]}
			for _, bound := range []struct {
				flag, text string
				into       *int64
			}{{"from", from, &request.FromMs}, {"to", to, &request.ToMs}} {
				if bound.text == "" {
					continue
				}
				at, err := parseTime(bound.text)
				if err != nil {
					return &usageError{fmt.Sprintf("--%s: %v", bound.flag, err)}
				}
				*bound.into = at.UnixMilli()
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				document, err := readStatement(ctx, client, request)
				if err != nil {
					return err
				}
				return a.result(document, document.text())
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "only rows from this time on")
	cmd.Flags().StringVar(&to, "to", "", "only rows before this time")
	return cmd
}

func readStatement(ctx context.Context, client *admin, request *clusterpb.LedgerRequest) (*statementDocument, error) {
	stream, err := client.Ledger(ctx, request)
	if err != nil {
		return nil, plainError(err)
	}
	d := &statementDocument{Registrar: request.GetRegistrarId(), Entries: []entryDocument{}}
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, errBrokenOff
		}
		if err != nil {
			return nil, plainError(err)
		}
		for _, e := range chunk.GetEntries() {
			d.Entries = append(d.Entries, entryDocument{
				Number: e.GetNumber(), At: instant(e.GetAtMs()), Kind: store.LedgerKind(e.GetKind()).String(), Object: e.GetObject(), Years: e.GetYears(),
				Amount: registry.FormatMinorUnits(e.GetAmountMinor()), Balance: registry.FormatMinorUnits(e.GetBalanceMinor()),
				Counterparty: e.GetCounterparty(), Undoes: e.GetUndoes(), RaftIndex: e.GetIndex(),
			})
		}
		if chunk.GetDone() {
			d.Currency = chunk.GetCurrency()
			d.Opening, d.Closing = registry.FormatMinorUnits(chunk.GetOpeningMinor()), registry.FormatMinorUnits(chunk.GetClosingMinor())
			d.Balance = registry.FormatMinorUnits(chunk.GetBalanceMinor())
			return d, nil
		}
	}
}

// errBrokenOff is returned when a stream ends without its last piece.
var errBrokenOff = errors.New("the answer broke off; ask again")

func (d *statementDocument) text() string {
	rows := [][]string{{"ROW", "TIME", "KIND", "OBJECT", "YEARS", "AMOUNT", "BALANCE", "UNDOES"}}
	rows = append(rows, []string{"", "", "opening balance", "", "", "", d.Opening, ""})
	for _, e := range d.Entries {
		rows = append(rows, []string{fmt.Sprint(e.Number), e.At, e.Kind, e.Object, unlessZero(uint64(e.Years)), e.Amount, e.Balance, unlessZero(e.Undoes)})
	}
	return strings.TrimRight(table(rows), "\n") + fmt.Sprintf("\nThe statement ends at %s %s; the account holds %s now.", d.Closing, d.Currency, d.Balance)
}

func unlessZero(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
