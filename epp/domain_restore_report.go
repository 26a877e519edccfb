package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// domainRestoreReport is a restore with op=report. Its answer shows no status, because the
// domain has none of the redemption period any more.
func (c *call) domainRestoreReport(ctx context.Context, name string, report *eppxml.RGPReport) (*answer, error) {
	if report == nil {
		return nil, refuse(registry.CodeParameterMissing, "report", "", "a restore with op=report carries a report (RFC 3915 section 4.2.5)")
	}
	if c.extensions.fee != nil {
		return nil, refuse(registry.CodeParameterPolicy, "fee", "", "the fee is agreed to with the request of a restore, not with its report")
	}
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_DomainRestoreReport{DomainRestoreReport: &fsmpb.DomainRestoreReport{
		Name: name, PreData: report.PreData, PostData: report.PostData, Reason: report.ResReason, Statements: report.Statements, Other: report.Other,
		DeletedAtMs: report.DelTime.UnixMilli(), RestoredAtMs: report.ResTime.UnixMilli(),
	}}})
	if err != nil {
		return nil, err
	}
	return c.withFees(c.done(result, nil), "updData", feeRenewal, result), nil
}
