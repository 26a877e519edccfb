package eppxml

// isHostStatus is host:statusValueType.
func isHostStatus(s string) bool {
	switch s {
	case "clientDeleteProhibited", "clientUpdateProhibited", "linked", "ok", "pendingCreate", "pendingDelete",
		"pendingTransfer", "pendingUpdate", "serverDeleteProhibited", "serverUpdateProhibited":
		return true
	}
	return false
}
