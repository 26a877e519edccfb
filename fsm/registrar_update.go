package fsm

import (
	"bytes"
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// maxRegistrarCertificates leaves room for several systems and for rotation.
const maxRegistrarCertificates = 16

func (r *run) registrarUpdate(c *fsmpb.RegistrarUpdate) (*fsmpb.Result, error) {
	old, found := r.tx.Registrar(registry.RegistrarID(c.GetId()))
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "id", c.GetId(), "there is no such registrar")
	}
	next := *old
	setIf(&next.Name, c.Name)
	setIf(&next.Email, c.Email)
	setIf(&next.URL, c.Url)
	setIf(&next.IANAID, c.IanaId)
	setIf(&next.PasswordHash, c.PasswordHash)
	setIf(&next.CreditLimit, c.CreditLimitMinor)
	setIf(&next.LowBalanceMinor, c.LowBalanceMinor)
	if c.State != nil {
		next.State = registry.RegistrarState(c.GetState())
	}
	if c.GetDisable() {
		next.State = registry.RegistrarDisabled
	}
	next.CertificateSHA256 = changeCertificates(old.CertificateSHA256, c.GetAddCertificateSha256(), c.GetRemoveCertificateSha256())
	if len(next.CertificateSHA256) > maxRegistrarCertificates {
		return nil, refuse(registry.CodeParameterPolicy, "certificate", "", "a registrar has at most %d certificates", maxRegistrarCertificates)
	}
	added, err := r.requireTLDs(c.GetAddTlds())
	if err != nil {
		return nil, err
	}
	next.TLDs = changeTLDs(old.TLDs, added, c.GetRemoveTlds())
	if added, err = r.requireTLDs(c.GetAddThinTlds()); err != nil {
		return nil, err
	}
	next.ThinTLDs = changeTLDs(old.ThinTLDs, added, c.GetRemoveThinTlds())
	next.Sources = changeSources(old.Sources, c.GetAddSources(), c.GetRemoveSources())
	if len(next.Sources) > maxRegistrarSources {
		return nil, refuse(registry.CodeParameterPolicy, "source", "", "a registrar has at most %d source networks", maxRegistrarSources)
	}
	changePublic(&next.Public, c.GetPublic())
	setIf(&next.QueryRate, c.QueryRate)
	setIf(&next.TransformRate, c.TransformRate)
	next.UpdatedAt = r.now
	r.watchBalance(next.ID)
	r.tx.PutRegistrar(&next)
	r.deposit(&next, c.GetDepositMinor())
	return ok(), nil
}

func setIf[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func changeCertificates(have, add, remove [][]byte) [][]byte {
	contains := func(list [][]byte, fp []byte) bool {
		return slices.ContainsFunc(list, func(other []byte) bool { return bytes.Equal(other, fp) })
	}
	var out [][]byte
	for _, fp := range have {
		if !contains(remove, fp) {
			out = append(out, fp)
		}
	}
	for _, fp := range add {
		if !contains(out, fp) {
			out = append(out, fp)
		}
	}
	return out
}

func changeTLDs(have, add []registry.DomainName, remove []string) []registry.DomainName {
	var out []registry.DomainName
	for _, tld := range have {
		if !slices.Contains(remove, string(tld)) {
			out = append(out, tld)
		}
	}
	for _, tld := range add {
		if !slices.Contains(out, tld) {
			out = append(out, tld)
		}
	}
	slices.Sort(out)
	return out
}
