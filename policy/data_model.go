package policy

import (
	"slices"

	"cadastre/registry"
)

// IsThin says whether the domains that the registrar sponsors under the TLD have no contacts
// in this registry.
func IsThin(tld *registry.TLD, registrar *registry.Registrar) bool {
	switch tld.Policy.DataModel {
	case registry.DataModelThin:
		return true
	case registry.DataModelPerRegistrar:
		return slices.Contains(registrar.ThinTLDs, tld.Name)
	default:
		return false
	}
}

// CheckContactsAllowed refuses a contact where registrations are thin; field says as what it
// was to serve.
func CheckContactsAllowed(tld *registry.TLD, registrar *registry.Registrar, field, id string) error {
	if !IsThin(tld, registrar) {
		return nil
	}
	reason := "." + string(tld.Name) + " is a thin TLD (data_model): its domains have no contacts in the registry"
	if tld.Policy.DataModel == registry.DataModelPerRegistrar {
		reason = "under ." + string(tld.Name) + " the registrations of this registrar are thin (data_model per-registrar): they have no contacts in the registry"
	}
	return &registry.Error{Code: registry.CodeParameterPolicy, Field: field, Value: id, Reason: reason}
}
