package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// domainCheck is <check> of domains (RFC 5731 section 3.1.1).
func (c *call) domainCheck(ctx context.Context, q *eppxml.DomainCheck) (*answer, error) {
	if err := checkCount(len(q.Names)); err != nil {
		return nil, err
	}
	fees := c.extensions.feeCheck
	if fees != nil && len(fees.Commands) > maxFeeCommands {
		return nil, refuse(registry.CodeParameterPolicy, "command", "", "a check asks for the fees of at most %d commands", maxFeeCommands)
	}
	phase, err := c.checkedPhase()
	if err != nil {
		return nil, err
	}
	var feeData *eppxml.FeeChkData
	results := make([]eppxml.CheckResult, 0, len(q.Names))
	err = c.view(ctx, func(tx *store.ReadTx) error {
		if phase != nil {
			if err := requirePhaseOfAll(tx, q.Names, *phase); err != nil {
				return err
			}
		}
		results = results[:0]
		for _, name := range q.Names {
			results = append(results, checked(name, c.domainUnavailable(tx, name)))
		}
		if fees != nil {
			feeData = c.checkFees(tx, fees, q.Names)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a := ok(eppxml.AppendDomainChkData(nil, results))
	if feeData != nil {
		a.extensions = append(a.extensions, extensionData{uri: eppxml.NSFee, xml: eppxml.AppendFeeChkData(nil, feeData)})
	}
	return a, nil
}

// domainUnavailable says why the name cannot be registered now, "" if it can.
func (c *call) domainUnavailable(tx *store.ReadTx, given string) string {
	name, err := registry.ParseDomainName(given)
	if err != nil {
		return reasonSyntax
	}
	if _, isTLD := tx.TLD(name); isTLD {
		return reasonIsTLD
	}
	tld, inside := tx.TLDOf(name)
	if !inside {
		return reasonOutside
	}
	token, mismatch := c.checkedToken(tx, tld, name)
	err = policy.CheckAllocatable(tx, tld, name, token)
	switch {
	case name.Parent() != tld.Name:
		return reasonTooDeep
	case mismatch && !tx.HasDomain(name):
		return reasonTokenMismatch
	case err != nil && policy.IsReserved(tx, tld, name.FirstLabel()):
		return reasonReserved
	case err != nil:
		return reasonNotAvailable
	case tx.HasDomain(name):
		return reasonInUse
	case !c.isOpen(tx, tld):
		return reasonNotOpen
	default:
		return c.idnUnavailable(tx, tld, name)
	}
}
