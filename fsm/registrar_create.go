package fsm

import (
	"strconv"
	"strings"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// operatorROIDSuffix ends the ROIDs of objects that belong to no TLD.
const operatorROIDSuffix = "REG"

func (r *run) registrarCreate(c *fsmpb.RegistrarCreate) (*fsmpb.Result, error) {
	id := registry.RegistrarID(c.GetId())
	if _, found := r.tx.Registrar(id); found {
		return nil, refuse(registry.CodeObjectExists, "id", c.GetId(), "there is a registrar of this id")
	}
	tlds, err := r.requireTLDs(c.GetTlds())
	if err != nil {
		return nil, err
	}
	thin, err := r.requireTLDs(c.GetThinTlds())
	if err != nil {
		return nil, err
	}
	roid, err := r.newROID(c.GetRoid(), operatorROIDSuffix)
	if err != nil {
		return nil, err
	}
	registrar := &registry.Registrar{
		ID: id, ROID: roid, Name: c.GetName(), Email: c.GetEmail(), URL: c.GetUrl(), IANAID: c.GetIanaId(),
		State: registry.RegistrarActive, PasswordHash: c.GetPasswordHash(), CertificateSHA256: c.GetCertificateSha256(),
		TLDs: tlds, Currency: c.GetCurrency(), CreditLimit: c.GetCreditLimitMinor(), LowBalanceMinor: c.GetLowBalanceMinor(),
		Sources: changeSources(nil, c.GetSources(), nil), ThinTLDs: changeTLDs(nil, thin, nil), QueryRate: c.GetQueryRate(), TransformRate: c.GetTransformRate(),
		CreatedAt: r.now, UpdatedAt: r.now,
	}
	changePublic(&registrar.Public, c.GetPublic())
	r.watchBalance(id)
	r.tx.PutRegistrar(registrar)
	r.deposit(registrar, c.GetOpeningDepositMinor())
	result := ok()
	result.Roid, result.CreatedAtMs = string(roid), r.now.UnixMilli()
	return result, nil
}

// deposit books money that the registrar paid in or, if negative, got back.
func (r *run) deposit(registrar *registry.Registrar, amountMinor int64) {
	row := store.LedgerRow{
		Kind: store.LedgerDeposit, From: store.AccountBank, To: store.RegistrarAccount(registrar.ID),
		AmountMinor: amountMinor, Currency: registrar.Currency, At: r.now,
	}
	if amountMinor < 0 {
		row.From, row.To, row.AmountMinor = row.To, row.From, -amountMinor
	}
	if amountMinor != 0 {
		r.post(row)
	}
}

// requireTLDs checks that every name is a TLD served here.
func (r *run) requireTLDs(names []string) ([]registry.DomainName, error) {
	var tlds []registry.DomainName
	for _, name := range names {
		tld, err := r.requireTLD(registry.DomainName(name))
		if err != nil {
			return nil, err
		}
		tlds = append(tlds, tld.Name)
	}
	return tlds, nil
}

func (r *run) requireTLD(name registry.DomainName) (*registry.TLD, error) {
	tld, found := r.tx.TLD(name)
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "tld", string(name), "there is no such TLD here; see: cadastre tld list")
	}
	return tld, nil
}

// newROID completes the unique part that the accepting node chose.
func (r *run) newROID(unique, suffix string) (registry.ROID, error) {
	roid := registry.ROID(unique + "-" + suffix)
	if _, _, taken := r.tx.ROID(roid); taken {
		return "", refuse(registry.CodeConflict, "roid", string(roid), "the object identifier is taken; send the command again")
	}
	return roid, nil
}

// objectROID names an object of registrars. From registry.LevelLeanRows on its unique part is
// the place of the command in the log, which no other object can have and none need be looked
// for: the letter of the kind of object, index and place in base 36, an underscore between them.
func (r *run) objectROID(letter, unique, suffix string) (registry.ROID, error) {
	if r.tx.FeatureLevel() < registry.LevelLeanRows {
		return r.newROID(unique, suffix)
	}
	at := r.tx.At()
	part := strconv.AppendUint(append(make([]byte, 0, 32), letter...), at.Index, 36)
	part = strconv.AppendUint(append(part, '_'), uint64(at.InEntry), 36)
	return registry.ROID(strings.ToUpper(string(part)) + "-" + suffix), nil
}
