package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// launchApplicationCreate applies for a name.
func (c *call) launchApplicationCreate(ctx context.Context, domain *fsmpb.DomainCreate) (*answer, error) {
	given := c.extensions.launchCreate
	command := &fsmpb.LaunchApplicationCreate{Domain: domain}
	for i := range given.Codes {
		code := &given.Codes[i]
		command.Codes = append(command.Codes, &fsmpb.LaunchCode{Code: code.Code, ValidatorId: code.ValidatorID, Mark: code.Mark})
	}
	var err error
	if command.ApplicationRoid, err = newROID("A"); err != nil {
		return nil, err
	}
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_LaunchApplicationCreate{LaunchApplicationCreate: command}})
	if err != nil {
		return nil, err
	}
	a := c.done(result, eppxml.AppendDomainCreData(nil, &eppxml.DomainCreData{Name: domain.GetName(), CrDate: instant(result.GetCreatedAtMs())}))
	a.extensions = append(a.extensions, extensionData{uri: eppxml.NSLaunch, xml: eppxml.AppendLaunchCreData(nil, &eppxml.LaunchID{
		Phase: given.Phase, ApplicationID: result.GetApplicationId(),
	})})
	return c.withFees(a, "creData", feeRegistration, result), nil
}
