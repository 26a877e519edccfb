package epp

import (
	"fmt"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/registry"
)

// messageData returns the facts of a message in the form that the object's mapping has for
// them: how a transfer stands, the new expiry of a renewal, the end of a pending deletion
// (RFC 5731 section 3.3), and otherwise what the object is like.
func messageData(m *registry.PollMessage) []byte {
	switch {
	case m.Kind == registry.PollTransfer && m.Object == registry.KindContact:
		return contactTrnData(m.Key, m.Transfer)
	case m.Kind == registry.PollTransfer:
		return domainTrnData(m.Key, m.Transfer)
	case m.Kind == registry.PollKeyRelay:
		return keyRelayData(m)
	case m.Kind == registry.PollAutoRenew:
		return eppxml.AppendDomainRenData(nil, &eppxml.DomainRenData{Name: m.Key, ExDate: m.ExpiresAt})
	case m.Kind == registry.PollPurge && m.Action.Index != 0:
		return eppxml.AppendDomainPanData(nil, &eppxml.PanData{
			ID: m.Key, Result: true, ClTRID: m.Action.CLTRID, SvTRID: placeTRID(m.Action.Term, m.Action.Index, m.Action.InEntry), Date: m.ActAt,
		})
	case m.Kind == registry.PollExpired:
		return eppxml.AppendDomainInfData(nil, &eppxml.DomainInfData{Name: m.Key, ROID: string(m.ROID), ClID: string(m.Registrar), ExDate: m.ExpiresAt})
	case m.Kind == registry.PollApplication && m.Application.Status.IsFinal():
		return eppxml.AppendDomainPanData(nil, &eppxml.PanData{
			ID: m.Key, Result: m.Application.Status == registry.ApplicationAllocated, ClTRID: m.Action.CLTRID,
			SvTRID: placeTRID(m.Action.Term, m.Action.Index, m.Action.InEntry), Date: m.ActAt,
		})
	case m.Kind == registry.PollApplication:
		return eppxml.AppendDomainInfData(nil, &eppxml.DomainInfData{
			Name: m.Key, ROID: string(m.ROID), Statuses: []eppxml.Status{{Value: string(registry.StatusPendingCreate)}}, ClID: string(m.Registrar),
		})
	case m.Kind == registry.PollRedemption, m.Kind == registry.PollRestoreLapsed, m.Kind == registry.PollPurge:
		return eppxml.AppendDomainInfData(nil, &eppxml.DomainInfData{
			Name: m.Key, ROID: string(m.ROID), Statuses: []eppxml.Status{{Value: string(registry.StatusPendingDelete)}},
			ClID: string(m.Registrar), ExDate: m.ExpiresAt,
		})
	default:
		return nil
	}
}

// messageText says in a sentence for people what the data of the message says.
func messageText(m *registry.PollMessage) string {
	if m.Kind == registry.PollLowBalance {
		return lowBalanceText(m.LowBalance)
	}
	object := m.Object.String() + " " + m.Key
	switch m.Kind {
	case registry.PollTransfer:
		return transferText(object, m.Transfer)
	case registry.PollAutoRenew:
		return fmt.Sprintf("The %s expired and was renewed automatically; it now expires at %s", object, instantText(m.ExpiresAt))
	case registry.PollExpired:
		return fmt.Sprintf("The %s expired; without a renewal it is deleted at %s", object, instantText(m.ActAt))
	case registry.PollRedemption:
		return fmt.Sprintf("The %s expired and was deleted; it can be restored until %s", object, instantText(m.ActAt))
	case registry.PollRestoreLapsed:
		return fmt.Sprintf("The report on the restore of the %s did not come in time; it can be restored again until %s", object, instantText(m.ActAt))
	case registry.PollPurge:
		return fmt.Sprintf("The deletion of the %s is complete; the name is free", object)
	case registry.PollKeyRelay:
		return fmt.Sprintf("%s relays keys for the %s, to be added to its zone", m.KeyRelay.From, object)
	case registry.PollChange:
		return changeText(object, m.Change)
	case registry.PollApplication:
		return applicationText(m.Key, m.Application)
	default:
		return "Something happened to the " + object
	}
}

func applicationText(name string, s *registry.ApplicationStep) string {
	status := s.Status.String()
	if s.StatusName != "" {
		status = s.StatusName
	}
	text := fmt.Sprintf("The application %s for %s in the phase %s is now %s", s.ID, name, s.Phase, status)
	if s.Reason != "" {
		text += ". Reason: " + s.Reason
	}
	return text
}

func transferText(object string, t *registry.Transfer) string {
	switch t.Status {
	case registry.TransferPending:
		return fmt.Sprintf("%s asks for the transfer of the %s; without an answer it is approved at %s", t.Requester, object, instantText(t.ActAt))
	case registry.TransferClientApproved:
		return fmt.Sprintf("%s approved the transfer of the %s to %s", t.Losing, object, t.Requester)
	case registry.TransferClientRejected:
		return fmt.Sprintf("%s rejected the transfer of the %s", t.Losing, object)
	case registry.TransferClientCancelled:
		return fmt.Sprintf("%s cancelled its request for the transfer of the %s", t.Requester, object)
	case registry.TransferServerApproved:
		return fmt.Sprintf("The registry approved the transfer of the %s from %s to %s", object, t.Losing, t.Requester)
	default:
		return fmt.Sprintf("The registry cancelled the transfer of the %s to %s", object, t.Requester)
	}
}

func lowBalanceText(b *registry.LowBalance) string {
	return fmt.Sprintf("The balance of the account fell to %s %s, below the threshold of %s; its credit limit is %s",
		registry.FormatMinorUnits(b.BalanceMinor), b.Currency, registry.FormatMinorUnits(b.ThresholdMinor), registry.FormatMinorUnits(b.CreditLimitMinor))
}

func instantText(t time.Time) string { return t.UTC().Format(time.RFC3339) }
