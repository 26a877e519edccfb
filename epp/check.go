package epp

import (
	"cadastre/epp/eppxml"
	"cadastre/registry"
)

// Reasons of checks; the schema allows 32 characters (eppcom-1.0, reasonBaseType).
const (
	reasonInUse        = "In use"
	reasonSyntax       = "Invalid syntax"
	reasonOutside      = "Not in a TLD of this registry"
	reasonIsTLD        = "A TLD"
	reasonTooDeep      = "Not one label below the TLD"
	reasonReserved     = "Reserved name"
	reasonNotOpen      = "Not open for registration"
	reasonNotAvailable = "Not offered under this TLD"
	reasonCharacters   = "Characters not offered here"
	reasonVariant      = "Variant of a registered name"
)

// checkCount bounds what one check may ask for.
func checkCount(count int) error {
	if count > maxChecked {
		return refuse(registry.CodeParameterPolicy, "", "", "a check names at most %d objects", maxChecked)
	}
	return nil
}

// checked is the result for one object; no reason means that it is available. The name is
// shown as the client wrote it, so that it finds it again.
func checked(name, reason string) eppxml.CheckResult {
	return eppxml.CheckResult{ID: name, Avail: reason == "", Reason: reason}
}
