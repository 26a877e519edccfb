package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// domainRestore is <update> of a domain with <rgp:restore> (RFC 3915 section 4.2.5).
func (c *call) domainRestore(ctx context.Context, q *eppxml.DomainUpdate) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	if changesMoreThanRestore(q) || c.extensions.secDNSUpdate != nil {
		return nil, refuse(registry.CodeParameterPolicy, "restore", "", "an update that restores a domain changes nothing else (RFC 3915 section 4.2.5)")
	}
	restore := c.extensions.restore
	if restore.Op == eppxml.RestoreReport {
		return c.domainRestoreReport(ctx, name, restore.Report)
	}
	return c.domainRestoreRequest(ctx, name, restore.Report)
}

// changesMoreThanRestore says whether the update holds more than the empty elements that
// RFC 5731 demands of it.
func changesMoreThanRestore(q *eppxml.DomainUpdate) bool {
	for _, part := range []*eppxml.DomainAddRem{q.Add, q.Rem} {
		if part != nil && (part.NS != nil || len(part.Contacts) > 0 || len(part.Statuses) > 0) {
			return true
		}
	}
	return q.Chg != nil && (q.Chg.Registrant != nil || q.Chg.AuthInfo != nil)
}

// domainRestoreRequest is a restore with op=request.
func (c *call) domainRestoreRequest(ctx context.Context, name string, report *eppxml.RGPReport) (*answer, error) {
	if report != nil {
		return nil, refuse(registry.CodeParameterPolicy, "report", "", "a request carries no report; send it with op=report afterwards (RFC 3915 section 4.2.5)")
	}
	fee, err := c.agreedFee()
	if err != nil {
		return nil, err
	}
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_DomainRestoreRequest{DomainRestoreRequest: &fsmpb.DomainRestoreRequest{Name: name, Fee: fee}}})
	if err != nil {
		return nil, err
	}
	a := c.done(result, nil)
	a.extensions = append(a.extensions, extensionData{
		uri: eppxml.NSRGP, xml: eppxml.AppendRGPUpData(nil, []string{string(registry.RGPPendingRestore)}),
	})
	return c.withFees(a, "updData", feeRestore, result), nil
}
