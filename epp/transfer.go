package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// requirePresented says whether a request for transfer comes with authorisation information
// of a kind that is kept here.
func requirePresented(given *eppxml.AuthInfo) error {
	switch {
	case given == nil:
		return refuse(registry.CodeParameterMissing, "authInfo", "", "a request for transfer needs the authorisation information (RFC 5730 section 2.9.3.4)")
	case given.Ext != nil:
		return refuse(registry.CodeUnimplementedOption, "authInfo", "", "authorisation information is a password here")
	default:
		return nil
	}
}

// proveAuthInfo makes the proof that travels in the log instead of what the client presented.
// What is wrong is refused here.
func (c *call) proveAuthInfo(tx *store.ReadTx, target *authTarget, given *eppxml.AuthInfo) (*fsmpb.AuthProof, error) {
	if err := c.present(tx, given, target); err != nil {
		return nil, err
	}
	salt := target.stored.Salt
	return &fsmpb.AuthProof{Roid: given.ROID, Salt: salt, Hash: hashAuthInfo(salt, given.Password)}, nil
}

// requireTransferReader says whether a registrar may see how the transfer of an object of the
// sponsor stands: the parties may, and whoever gave the right authorisation information.
func (c *call) requireTransferReader(sponsor registry.RegistrarID, t *registry.Transfer, authorized bool, field, value string) error {
	isParty := t != nil && (t.Requester == c.registrar || t.Losing == c.registrar)
	switch {
	case !authorized && !isParty && sponsor != c.registrar:
		return refuse(registry.CodeAuthorization, field, value, "the object is sponsored by another registrar; give its authorisation information")
	case t == nil:
		return refuse(registry.CodeNotPendingTransfer, field, value, "no transfer of the object was ever requested")
	default:
		return nil
	}
}

// transferred has a command of a transfer done and answers with how the transfer stands.
func (c *call) transferred(ctx context.Context, command *fsmpb.Command, data func(t *registry.Transfer) []byte) (*answer, error) {
	result, err := c.propose(ctx, command)
	if err != nil {
		return nil, err
	}
	return c.done(result, data(fsm.TransferFromProto(result.GetTransfer()))), nil
}

func domainTrnData(name string, t *registry.Transfer) []byte {
	return eppxml.AppendDomainTrnData(nil, &eppxml.DomainTrnData{
		Name: name, TrStatus: t.Status.String(), ReID: string(t.Requester), ReDate: t.RequestedAt,
		AcID: string(t.Actor()), AcDate: t.ActAt, ExDate: t.ExpiresAt,
	})
}

func contactTrnData(id string, t *registry.Transfer) []byte {
	return eppxml.AppendContactTrnData(nil, &eppxml.ContactTrnData{
		ID: id, TrStatus: t.Status.String(), ReID: string(t.Requester), ReDate: t.RequestedAt,
		AcID: string(t.Actor()), AcDate: t.ActAt,
	})
}
