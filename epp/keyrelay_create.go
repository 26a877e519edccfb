package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// keyrelayCreate is <create> of a message that relays keys to the sponsor of a domain (RFC
// 8063 section 3.2.1).
func (c *call) keyrelayCreate(ctx context.Context, q *eppxml.KeyrelayCreate) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	if err := requirePresented(q.AuthInfo); err != nil {
		return nil, err
	}
	command := &fsmpb.KeyrelayCreate{Name: name}
	for i := range q.Data {
		command.Keys = append(command.Keys, relayedKey(&q.Data[i]))
	}
	err = c.view(ctx, func(tx *store.ReadTx) error {
		domain, found := tx.Domain(registry.DomainName(name))
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "name", q.Name, "the name is not registered")
		}
		if domain.Sponsor == c.registrar {
			return nil // refused when it is applied, whatever was presented
		}
		command.AuthProof, err = c.proveAuthInfo(tx, targetBehind(tx, domain, q.AuthInfo), q.AuthInfo)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.transform(ctx, &fsmpb.Command{Body: &fsmpb.Command_KeyrelayCreate{KeyrelayCreate: command}})
}

func relayedKey(given *eppxml.KeyRelayData) *fsmpb.RelayedKey {
	relayed := &fsmpb.RelayedKey{Key: publicKeys([]eppxml.KeyData{given.Key})[0]}
	switch expiry := given.Expiry; {
	case expiry == nil:
	case expiry.Relative != "":
		relayed.For = expiry.Relative
	default:
		ms := expiry.Absolute.UnixMilli()
		relayed.UntilMs = &ms
	}
	return relayed
}

// keyRelayData is the data of a message that relays keys (RFC 8063 section 3.1.2).
func keyRelayData(m *registry.PollMessage) []byte {
	data := &eppxml.KeyRelayInfData{Name: m.Key, CrDate: m.At, ReID: string(m.KeyRelay.From), AcID: string(m.Registrar)}
	for i := range m.KeyRelay.Keys {
		relayed := &m.KeyRelay.Keys[i]
		shown := eppxml.KeyRelayData{Key: eppxml.KeyData{
			Flags: relayed.Key.Flags, Protocol: relayed.Key.Protocol, Alg: relayed.Key.Algorithm, PublicKey: relayed.Key.Data,
		}}
		if relayed.For != "" || !relayed.Until.IsZero() {
			shown.Expiry = &eppxml.KeyRelayExpiry{Relative: relayed.For, Absolute: relayed.Until}
		}
		data.Data = append(data.Data, shown)
	}
	return eppxml.AppendKeyRelayInfData(nil, data)
}
