package fsm

import (
	"crypto/subtle"
	"slices"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// matchesProof says in constant time whether the proof is the stored information under its
// present salt. Information that is not set, or has expired, matches nothing.
func (r *run) matchesProof(stored registry.AuthInfo, proof *fsmpb.AuthProof) bool {
	salt := subtle.ConstantTimeCompare(stored.Salt, proof.GetSalt())
	hash := subtle.ConstantTimeCompare(stored.Hash, proof.GetHash())
	return stored.IsSet(r.now) && salt&hash == 1
}

func errAuthInfo() error {
	return refuse(registry.CodeInvalidAuthInfo, "authInfo", "", "the authorisation information is not that of the object")
}

// requireDomainProof says whether the proof is of the domain's authorisation information or
// of that of one of its contacts, which it then names (RFC 5731 section 3.2.4). Contacts that
// stayed with the losing registrar of an earlier transfer do not open the domain: that
// registrar could take it back.
func (r *run) requireDomainProof(domain *registry.Domain, proof *fsmpb.AuthProof) error {
	object, stored := domain.ROID, domain.AuthInfo
	if roid := registry.ROID(proof.GetRoid()); roid != "" && roid != domain.ROID {
		stored = registry.AuthInfo{}
		if kind, id, found := r.tx.ROID(roid); found && kind == registry.KindContact && namesContact(domain, registry.ContactID(id)) {
			if contact, found := r.tx.Contact(registry.ContactID(id)); found && contact.Sponsor == domain.Sponsor {
				object, stored = contact.ROID, contact.AuthInfo
			}
		}
	}
	return r.requireProof(object, stored, proof)
}

// requireProof says whether the proof is of the stored information of an object at which the
// acting registrar has not failed too often.
func (r *run) requireProof(object registry.ROID, stored registry.AuthInfo, proof *fsmpb.AuthProof) error {
	if err := CheckAuthInfoAttempt(&r.tx.ReadTx, r.registrarID(), object); err != nil {
		return err
	}
	if !r.matchesProof(stored, proof) {
		return errAuthInfo()
	}
	return nil
}

func namesContact(domain *registry.Domain, id registry.ContactID) bool {
	return domain.Registrant.Key() == id.Key() || slices.ContainsFunc(domain.Contacts, func(link registry.DomainContact) bool {
		return link.ID.Key() == id.Key()
	})
}

// requireTransferable says whether a registrar may ask for an object of these statuses.
func requireTransferable(have registry.Statuses) error {
	if have.Has(registry.StatusPendingTransfer) {
		return refuse(registry.CodePendingTransfer, "status", string(registry.StatusPendingTransfer), "a transfer of the object is pending already")
	}
	forbidding := firstOf(have, registry.StatusClientTransferProhibited, registry.StatusServerTransferProhibited,
		registry.StatusPendingCreate, registry.StatusPendingDelete, registry.StatusPendingRenew, registry.StatusPendingUpdate)
	if forbidding != "" {
		return refuse(registry.CodeStatusProhibits, "status", string(forbidding), "the status forbids transfers")
	}
	return nil
}

// requireNotOwn refuses the transfer of an object to the registrar that has it.
func (r *run) requireNotOwn(p *registry.Provenance, field, value string) error {
	if p.Sponsor == r.registrarID() {
		return refuse(registry.CodeNotTransferable, field, value, "the registrar sponsors the object already")
	}
	return nil
}

// requireAnswerable says whether the acting registrar may approve or reject the transfer of
// the object: as its sponsor, while one is pending.
func (r *run) requireAnswerable(p *registry.Provenance, t *registry.Transfer, field, value string) error {
	if err := r.requireSponsor(p, field, value); err != nil {
		return err
	}
	return requirePending(t, field, value)
}

// requireCancellable says whether the acting registrar may cancel the transfer: as the one
// that asked for it, while it is pending.
func (r *run) requireCancellable(t *registry.Transfer, field, value string) error {
	if err := requirePending(t, field, value); err != nil {
		return err
	}
	if t.Requester != r.registrarID() {
		return refuse(registry.CodeAuthorization, field, value, "the transfer was requested by another registrar")
	}
	return nil
}

func requirePending(t *registry.Transfer, field, value string) error {
	if !t.IsPending() {
		return refuse(registry.CodeNotPendingTransfer, field, value, "no transfer of the object is pending")
	}
	return nil
}

// ended returns the transfer as it stands after its end.
func ended(t *registry.Transfer, status registry.TransferStatus, at time.Time, expiresAt time.Time) *registry.Transfer {
	next := *t
	next.Status, next.ActAt, next.ExpiresAt, next.ReservedRow = status, at, expiresAt, 0
	return &next
}

// toldOfEnd lists who must be told how a transfer ended: whoever did not end it.
func toldOfEnd(t *registry.Transfer) []registry.RegistrarID {
	switch t.Status {
	case registry.TransferClientApproved, registry.TransferClientRejected:
		return []registry.RegistrarID{t.Requester}
	case registry.TransferClientCancelled:
		return []registry.RegistrarID{t.Losing}
	default:
		return []registry.RegistrarID{t.Losing, t.Requester}
	}
}

// transferResult answers with how the transfer stands.
func transferResult(t *registry.Transfer) *fsmpb.Result {
	result := ok()
	if t.IsPending() {
		result.Code = uint32(registry.CodeOKPending)
	}
	result.Transfer = TransferToProto(t)
	return result
}

// TransferToProto converts a transfer to the form in which results carry it.
func TransferToProto(t *registry.Transfer) *fsmpb.Transfer {
	out := &fsmpb.Transfer{
		Status: uint32(t.Status), Requester: string(t.Requester), Losing: string(t.Losing),
		RequestedAtMs: t.RequestedAt.UnixMilli(), ActAtMs: t.ActAt.UnixMilli(),
	}
	if !t.ExpiresAt.IsZero() {
		out.ExpiresAtMs = t.ExpiresAt.UnixMilli()
	}
	return out
}

// TransferFromProto is the inverse of TransferToProto.
func TransferFromProto(t *fsmpb.Transfer) *registry.Transfer {
	out := &registry.Transfer{
		Status: registry.TransferStatus(t.GetStatus()), Requester: registry.RegistrarID(t.GetRequester()), Losing: registry.RegistrarID(t.GetLosing()),
		RequestedAt: time.UnixMilli(t.GetRequestedAtMs()).UTC(), ActAt: time.UnixMilli(t.GetActAtMs()).UTC(),
	}
	if ms := t.GetExpiresAtMs(); ms != 0 {
		out.ExpiresAt = time.UnixMilli(ms).UTC()
	}
	return out
}
