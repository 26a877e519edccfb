package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// launchClaimsCheck answers a claims or trademark check (RFC 8334 sections 3.1.1 and 3.1.3).
// No list of claims is loaded, so that there are none to any name.
func (c *call) launchClaimsCheck(ctx context.Context, q *eppxml.DomainCheck) (*answer, error) {
	if err := checkCount(len(q.Names)); err != nil {
		return nil, err
	}
	asked := c.extensions.launchCheck
	switch {
	case c.extensions.feeCheck != nil:
		return nil, &refusal{code: codeUseError, value: eppxml.Value{NS: eppxml.NSFee, Name: "check"}, reason: "a check for claims says nothing of fees; ask in a check of its own"}
	case asked.Form == eppxml.LaunchTrademark && asked.Phase != nil:
		return nil, refuse(registry.CodeParameterPolicy, "phase", asked.Phase.Type, "a trademark check is of no phase (RFC 8334 section 3.1.3)")
	case asked.Form == eppxml.LaunchClaims && asked.Phase == nil:
		return nil, refuse(registry.CodeParameterMissing, "phase", "", "a claims check names a phase (RFC 8334 section 3.1.1)")
	}
	data := &eppxml.LaunchChkData{Phase: asked.Phase}
	for _, name := range q.Names {
		data.Names = append(data.Names, eppxml.LaunchClaim{Name: name})
	}
	err := c.view(ctx, func(tx *store.ReadTx) error {
		if asked.Phase == nil {
			return nil
		}
		return requirePhaseOfAll(tx, q.Names, *asked.Phase)
	})
	if err != nil {
		return nil, err
	}
	a := ok(nil)
	a.extensions = []extensionData{{uri: eppxml.NSLaunch, xml: eppxml.AppendLaunchChkData(nil, data)}}
	return a, nil
}

// requirePhaseOfAll says whether the phase runs in the TLDs of the names. Names outside them
// are left to the answer.
func requirePhaseOfAll(tx *store.ReadTx, names []string, phase eppxml.LaunchPhase) error {
	if len(phase.Name) > maxShownOctets {
		return refuse(registry.CodeParameterPolicy, "phase", phase.Type, "no phase has a name of more than %d octets", maxShownOctets)
	}
	for _, given := range names {
		name, err := registry.ParseDomainName(given)
		if err != nil {
			continue
		}
		if tld, inside := tx.TLDOf(name); inside {
			if _, err := policy.RunningPhase(tld, registry.Phase(phase), tx.Now()); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkedPhase returns the phase of an availability check, nil if the command is none (RFC
// 8334 section 3.1.2).
func (c *call) checkedPhase() (*eppxml.LaunchPhase, error) {
	asked := c.extensions.launchCheck
	if asked == nil {
		return nil, nil
	}
	if asked.Phase == nil {
		return nil, refuse(registry.CodeParameterMissing, "phase", "", "an availability check names a phase (RFC 8334 section 3.1.2)")
	}
	return asked.Phase, nil
}

// isOpen says whether names can be had: in the phase that the command names, which was seen
// to run, or else without naming one.
func (c *call) isOpen(tx *store.ReadTx, tld *registry.TLD) bool {
	if c.extensions.launchCheck != nil {
		return true
	}
	_, err := policy.OpenPhase(tld, tx.Now())
	return err == nil
}
