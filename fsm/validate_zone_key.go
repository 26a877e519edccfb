package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

const (
	zoneKeyIDChars = 32
	// maxZoneKeyOctets has room for RSA-4096.
	maxZoneKeyOctets = 600
	// maxZoneKeys bounds the keys of a zone: a few rollovers at once, and those just removed.
	maxZoneKeys = 64
	// maxKeyMoves is as many as change state at once: two of a new and two of an old algorithm, and room.
	maxKeyMoves = 16
	// maxLimitOctets has room for a sentence.
	maxLimitOctets = 512
)

// zoneKeys checks commands on keys of zones.
func (k *checker) zoneKeys(command *fsmpb.Command) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_ZoneKeyAdd:
		c := body.ZoneKeyAdd
		k.name("tld", c.GetTld())
		k.zoneKeyID("id", c.GetId())
		if c.GetReplaces() != "" {
			k.zoneKeyID("replaces", c.GetReplaces())
		}
		role := registry.KeyRole(c.GetRole())
		k.require(role >= registry.KeyKSK && role <= registry.KeyCSK && c.GetRole() <= uint32(registry.KeyCSK), "role", role.String(), "a key is a KSK, a ZSK or a CSK")
		k.require(c.GetAlgorithm() < 256 && policy.IsZoneAlgorithm(uint8(c.GetAlgorithm())), "algorithm", "", "zones are signed with algorithm 8, 13 or 15")
		k.require(len(c.GetPublicKey()) > 0 && len(c.GetPublicKey()) <= maxZoneKeyOctets, "public_key", "", "a public key has 1 to %d octets", maxZoneKeyOctets)
	case *fsmpb.Command_ZoneKeyStep:
		k.name("tld", body.ZoneKeyStep.GetTld())
		k.count("moves", len(body.ZoneKeyStep.GetMoves()), maxKeyMoves)
		for _, move := range body.ZoneKeyStep.GetMoves() {
			k.zoneKeyID("id", move.GetId())
		}
	case *fsmpb.Command_ZoneKeyDsSeen:
		k.name("tld", body.ZoneKeyDsSeen.GetTld())
		k.zoneKeyID("id", body.ZoneKeyDsSeen.GetId())
	case *fsmpb.Command_ZoneKeyRetire:
		k.name("tld", body.ZoneKeyRetire.GetTld())
		k.zoneKeyID("id", body.ZoneKeyRetire.GetId())
	case *fsmpb.Command_ZoneHold:
		k.name("tld", body.ZoneHold.GetTld())
		k.require(len(body.ZoneHold.GetLimit()) > 0 && len(body.ZoneHold.GetLimit()) <= maxLimitOctets, "limit", "", "a limit is told in 1 to %d octets", maxLimitOctets)
	case *fsmpb.Command_ZoneRelease:
		k.name("tld", body.ZoneRelease.GetTld())
		k.require(command.GetReason() != "", "reason", "", "a release needs a reason, which the history keeps")
	case *fsmpb.Command_ZoneDsGone:
		k.name("tld", body.ZoneDsGone.GetTld())
	}
}

func (k *checker) zoneKeyID(field, value string) {
	ok := len(value) == zoneKeyIDChars
	for _, c := range []byte(value) {
		ok = ok && (c >= '0' && c <= '9' || c >= 'a' && c <= 'f')
	}
	k.require(ok, field, value, "the id of a key has %d hexadecimal digits", zoneKeyIDChars)
}
