package fsm

import (
	"cadastre/registry"
)

// changeStatuses adds and removes what a registrar asked for on an object of the kind.
// Only client statuses can be set; adding one that is there or removing one that is not
// fails (RFC 5731 section 3.2.5).
func changeStatuses(kind registry.ObjectKind, have registry.Statuses, add, remove []string) (registry.Statuses, error) {
	next := have
	for _, s := range remove {
		status := registry.Status(s)
		if !registry.IsClientStatus(kind, status) {
			return nil, refuse(registry.CodeParameterPolicy, "status", s, "only client statuses of %s can be removed by its registrar", withArticle(kind))
		}
		if !have.Has(status) {
			return nil, refuse(registry.CodeParameterPolicy, "status", s, "the status to remove is not set")
		}
		next = next.Without(status)
	}
	for _, s := range add {
		status := registry.Status(s)
		if !registry.IsClientStatus(kind, status) {
			return nil, refuse(registry.CodeParameterPolicy, "status", s, "only client statuses of %s can be set by its registrar", withArticle(kind))
		}
		if next.Has(status) {
			return nil, refuse(registry.CodeParameterPolicy, "status", s, "the status to add is set already")
		}
		next = next.With(status)
	}
	return next, nil
}

// requireUpdatable says whether the statuses admit an update. While
// clientUpdateProhibited is set, only an update that does nothing but remove it is
// allowed (RFC 5731 section 2.3).
func requireUpdatable(have registry.Statuses, onlyStatuses bool, add, remove []string) error {
	if have.Has(registry.StatusServerUpdateProhibited, registry.StatusPendingDelete, registry.StatusPendingTransfer, registry.StatusPendingUpdate) {
		return refuse(registry.CodeStatusProhibits, "status", string(firstOf(have, registry.StatusServerUpdateProhibited,
			registry.StatusPendingDelete, registry.StatusPendingTransfer, registry.StatusPendingUpdate)), "the status forbids updates")
	}
	lifts := len(remove) == 1 && remove[0] == string(registry.StatusClientUpdateProhibited) && len(add) == 0
	if have.Has(registry.StatusClientUpdateProhibited) && !(onlyStatuses && lifts) {
		return refuse(registry.CodeStatusProhibits, "status", string(registry.StatusClientUpdateProhibited),
			"while it is set, an update may only remove it (RFC 5731 section 2.3)")
	}
	return nil
}

// requireDeletable says whether the statuses admit a deletion.
func requireDeletable(have registry.Statuses) error {
	forbidding := firstOf(have, registry.StatusClientDeleteProhibited, registry.StatusServerDeleteProhibited,
		registry.StatusPendingDelete, registry.StatusPendingTransfer, registry.StatusPendingUpdate)
	if forbidding != "" {
		return refuse(registry.CodeStatusProhibits, "status", string(forbidding), "the status forbids deletion")
	}
	return nil
}

// firstOf returns the first of the wanted statuses that is set, or "".
func firstOf(have registry.Statuses, wanted ...registry.Status) registry.Status {
	for _, status := range wanted {
		if have.Has(status) {
			return status
		}
	}
	return ""
}

func withArticle(kind registry.ObjectKind) string {
	if kind == registry.KindOrg {
		return "an organisation"
	}
	return "a " + kind.String()
}
