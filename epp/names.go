package epp

import (
	"errors"
	"net/netip"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// canonicalName returns the name in the form in which the registry keeps it.
func canonicalName(field, name string) (string, error) {
	canonical, err := registry.ParseDomainName(name)
	if err == nil {
		return string(canonical), nil
	}
	if known, found := errors.AsType[*registry.Error](err); found {
		return "", &registry.Error{Code: known.Code, Field: field, Value: name, Reason: known.Reason}
	}
	return "", err
}

// hostNames returns the canonical names of the host objects of a delegation.
func hostNames(ns *eppxml.NameServers) ([]string, error) {
	if ns == nil {
		return nil, nil
	}
	names := make([]string, 0, len(ns.HostObjs))
	for _, host := range ns.HostObjs {
		name, err := canonicalName("ns", host)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// hostAttributes returns the name servers of a delegation that are its attributes. Which of
// both a TLD has is decided where the command is applied.
func hostAttributes(ns *eppxml.NameServers) ([]*fsmpb.HostAttribute, error) {
	if ns == nil {
		return nil, nil
	}
	attributes := make([]*fsmpb.HostAttribute, 0, len(ns.HostAttrs))
	for _, given := range ns.HostAttrs {
		name, err := canonicalName("hostAttr", given.Name)
		if err != nil {
			return nil, err
		}
		addresses, err := addressOctets(given.Addrs)
		if err != nil {
			return nil, err
		}
		attributes = append(attributes, &fsmpb.HostAttribute{Name: name, Addresses: addresses})
	}
	return attributes, nil
}

// hostAttributeNames returns the canonical names of attributes that are to be removed; their
// addresses do not matter.
func hostAttributeNames(ns *eppxml.NameServers) ([]string, error) {
	attributes, err := hostAttributes(ns)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, a := range attributes {
		names = append(names, a.GetName())
	}
	return names, nil
}

// addressOctets returns the addresses as 4 or 16 octets each.
func addressOctets(given []eppxml.HostAddr) ([][]byte, error) {
	octets := make([][]byte, 0, len(given))
	for _, a := range given {
		addr, err := netip.ParseAddr(a.Addr)
		switch {
		case err != nil || addr.Zone() != "":
			return nil, refuse(registry.CodeParameterSyntax, "addr", a.Addr, "the value is not an IP address")
		case addr.Is4() != (a.IP == "v4"):
			return nil, refuse(registry.CodeParameterSyntax, "addr", a.Addr, "the address is not of the version that its ip attribute says (RFC 5732 section 2.5)")
		}
		octets = append(octets, addr.AsSlice())
	}
	return octets, nil
}

// statusValues returns the values of statuses; their texts are not kept.
func statusValues(given []eppxml.Status) []string {
	values := make([]string, 0, len(given))
	for _, s := range given {
		values = append(values, s.Value)
	}
	return values
}

// shownStatuses returns the statuses of an object for an info: the explicit ones, the
// derived ones and, if there is nothing that restricts the object, ok.
func shownStatuses(explicit registry.Statuses, linked, inactive bool) []eppxml.Status {
	var shown []eppxml.Status
	for _, s := range explicit {
		shown = append(shown, eppxml.Status{Value: string(s)})
	}
	if inactive {
		shown = append(shown, eppxml.Status{Value: string(registry.StatusInactive)})
	}
	if len(shown) == 0 {
		shown = append(shown, eppxml.Status{Value: string(registry.StatusOK)})
	}
	if linked { // the one status that may stand beside ok (RFC 5732 and RFC 5733, section 2)
		shown = append(shown, eppxml.Status{Value: string(registry.StatusLinked)})
	}
	return shown
}

// errEmptyUpdate is the refusal of an update that changes nothing.
func errEmptyUpdate() error {
	return refuse(registry.CodeParameterMissing, "", "", "an update adds, removes or changes something (RFC 5730 section 2.9.3.5)")
}
