package store

import (
	"fmt"
	"strings"
	"time"

	"cadastre/registry"
)

// Account names one side of the double-entry ledger. The sum of all balances of a
// currency is always zero.
type Account string

// The registry's own accounts.
const (
	AccountRevenue Account = "registry:revenue"
	AccountBank    Account = "registry:bank"
	// AccountReserved holds the prices of transfers that are pending.
	AccountReserved Account = "registry:reserved"
)

// RegistrarAccount is the prepaid account of a registrar.
func RegistrarAccount(id registry.RegistrarID) Account { return Account("registrar:" + id) }

// Registrar returns the registrar whose prepaid account it is, if it is one.
func (a Account) Registrar() (registry.RegistrarID, bool) {
	id, is := strings.CutPrefix(string(a), string(RegistrarAccount("")))
	return registry.RegistrarID(id), is
}

// LedgerKind says what a row is for. Stored, append-only.
type LedgerKind uint8

// The kinds of rows.
const (
	LedgerDeposit  LedgerKind = 1
	LedgerCreate   LedgerKind = 2
	LedgerRenew    LedgerKind = 3
	LedgerAutoRen  LedgerKind = 4
	LedgerTransfer LedgerKind = 5
	LedgerRestore  LedgerKind = 6
	LedgerRefund   LedgerKind = 7
	LedgerReserve  LedgerKind = 8 // a price set aside until a transfer ends
	LedgerRelease  LedgerKind = 9 // and given back then, before it is charged or not
)

// String returns the kind as statements show it.
func (k LedgerKind) String() string {
	switch k {
	case LedgerDeposit:
		return "deposit"
	case LedgerCreate:
		return "create"
	case LedgerRenew:
		return "renew"
	case LedgerAutoRen:
		return "auto-renew"
	case LedgerTransfer:
		return "transfer"
	case LedgerRestore:
		return "restore"
	case LedgerRefund:
		return "refund"
	case LedgerReserve:
		return "reserve"
	case LedgerRelease:
		return "release"
	default:
		return fmt.Sprintf("kind %d", uint8(k))
	}
}

// LedgerRow moves AmountMinor from one account to another.
type LedgerRow struct {
	Number      uint64
	Kind        LedgerKind
	From, To    Account
	AmountMinor int64 // never negative
	Currency    string
	Object      string // the domain charged for
	Years       uint32
	Undoes      uint64 // of a refund: the row that it undoes
	At          time.Time
	Index       uint64
}

// PostLedger appends the row, moves the balances and returns the row's number.
func (tx *Tx) PostLedger(r LedgerRow) uint64 {
	r.Number = tx.nextNumber("ledger")
	r.Index = tx.at.Index
	if tx.packs {
		tx.memory.packed.stagedLedger = append(tx.memory.packed.stagedLedger, r)
	} else {
		tx.putLedgerRow(&r)
	}
	tx.moveBalance(r.From, r.Currency, -r.AmountMinor)
	tx.moveBalance(r.To, r.Currency, r.AmountMinor)
	return r.Number
}

// putLedgerRow writes a row of its own with its indexes, as is done below
// registry.LevelPackedRows.
func (tx *Tx) putLedgerRow(r *LedgerRow) {
	var e encoder
	e.ledgerRow(r)
	tx.insert(tableLedger.key().uint(r.Number), e.b)
	for _, account := range [...]Account{r.From, r.To} {
		if isIndexed(account) || !tx.lean {
			tx.insert(tableLedgerByAcct.key().str(string(account)).uint(r.Number), nil)
		}
	}
}

func (e *encoder) ledgerRow(r *LedgerRow) {
	e.uint(1, uint64(r.Kind))
	e.str(2, string(r.From))
	e.str(3, string(r.To))
	e.int(4, r.AmountMinor)
	e.str(5, r.Currency)
	e.str(6, r.Object)
	e.uint(7, uint64(r.Years))
	e.uint(8, r.Undoes)
	e.time(9, r.At)
	e.uint(10, r.Index)
}

func balanceKey(account Account, currency string) key {
	return tableBalance.key().str(string(account)).tail(currency)
}

func (tx *Tx) moveBalance(account Account, currency string, by int64) {
	tx.set(balanceKey(account, currency), uintRow(uint64(tx.BalanceMinor(account, currency)+by)))
}

// BalanceMinor returns the balance of an account in minor units of the currency.
func (tx *ReadTx) BalanceMinor(account Account, currency string) int64 {
	value, ok := tx.get(balanceKey(account, currency))
	if !ok {
		return 0
	}
	return int64(decodeUint("balance", value))
}

// LedgerRow returns the row of the number.
func (tx *ReadTx) LedgerRow(number uint64) (*LedgerRow, bool) {
	value, ok := tx.get(tableLedger.key().uint(number))
	if !ok {
		return tx.packedPosting(number)
	}
	return decodeLedgerRow(number, value), true
}

func decodeLedgerRow(number uint64, value []byte) *LedgerRow {
	r := &LedgerRow{Number: number}
	decodeRow("ledger", value, func(d *decoder) {
		for d.next() {
			d.ledgerField(r)
		}
	})
	return r
}

func (d *decoder) ledgerField(r *LedgerRow) {
	switch d.num {
	case 1:
		r.Kind = LedgerKind(d.val)
	case 2:
		r.From = Account(d.str())
	case 3:
		r.To = Account(d.str())
	case 4:
		r.AmountMinor = d.int()
	case 5:
		r.Currency = d.str()
	case 6:
		r.Object = d.str()
	case 7:
		r.Years = uint32(d.val)
	case 8:
		r.Undoes = d.val
	case 9:
		r.At = d.time()
	case 10:
		r.Index = d.val
	default:
		d.unknown()
	}
}

// isIndexed says whether the rows of the account have an index. Those of the revenue are
// nearly the whole ledger and had one below registry.LevelLeanRows only.
func isIndexed(account Account) bool { return account != AccountRevenue }

// EachLedgerRow calls fn for every row that moves money from or to the account, oldest
// first, until it returns false. Rows of their own are all older than those of whole entries.
func (tx *ReadTx) EachLedgerRow(account Account, fn func(*LedgerRow) bool) {
	more := true
	one := func(row *LedgerRow) bool {
		more = row.From != account && row.To != account || fn(row)
		return more
	}
	each := func(last uint64, value []byte) bool {
		rows := decodePostings(last, value)
		for i := range rows {
			if !one(&rows[i]) {
				return false
			}
		}
		return true
	}
	if !isIndexed(account) {
		tx.scan(tableLedger.key(), nil, func(rest, value []byte) bool {
			return one(decodeLedgerRow(decodeUint("ledger", rest), value))
		})
		if more {
			tx.scan(tablePostings.key(), nil, func(rest, value []byte) bool {
				return each(decodeUint("postings of an entry", rest), value)
			})
		}
		return
	}
	tx.scan(tableLedgerByAcct.key().str(string(account)), nil, func(rest, _ []byte) bool {
		row, found := tx.LedgerRow(decodeUint("ledger index", rest))
		if !found {
			corrupt("ledger index", errRow)
		}
		return one(row)
	})
	if !more {
		return
	}
	tx.scan(tablePostingsByAcc.key().str(string(account)), nil, func(rest, _ []byte) bool {
		last := decodeUint("index of postings", rest)
		value, found := tx.get(tablePostings.key().uint(last))
		if !found {
			corrupt("index of postings", errRow)
		}
		return each(last, value)
	})
}

// EachBalance calls fn for every account, by name.
func (tx *ReadTx) EachBalance(fn func(account Account, currency string, minor int64)) {
	tx.scan(tableBalance.key(), nil, func(rest, value []byte) bool {
		account, currency := cutKey("balance", rest)
		fn(Account(account), currency, int64(decodeUint("balance", value)))
		return true
	})
}

// Balance returns what a registrar has on account, in minor units of its own currency.
func (tx *ReadTx) Balance(id registry.RegistrarID) int64 {
	registrar, found := tx.Registrar(id)
	if !found {
		return 0
	}
	return tx.BalanceMinor(RegistrarAccount(id), registrar.Currency)
}
