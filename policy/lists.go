package policy

import (
	"fmt"
	"slices"

	"cadastre/registry"
)

// Lists holds the labels of TLDs that are too many for the TLD records; *store.ReadTx is one.
// It may be nil for TLDs without such lists.
type Lists interface {
	// PremiumName returns the entry of a label on the list of the TLD.
	PremiumName(tld registry.DomainName, label string) (*registry.PremiumName, bool)
	// IsReserved says whether the label is on the list of reserved ones of the TLD.
	IsReserved(tld registry.DomainName, label string) bool
}

// IsReserved says whether the TLD reserves the label, by its policy or by its list.
func IsReserved(lists Lists, tld *registry.TLD, label string) bool {
	return slices.Contains(tld.Policy.ReservedLabels, label) || tld.HasReservedList && lists.IsReserved(tld.Name, label)
}

// premiumName returns the prices of a label: those of the list or else of the policy.
func premiumName(lists Lists, tld *registry.TLD, label string) (*registry.PremiumName, bool) {
	if tld.HasPremiumList {
		if p, found := lists.PremiumName(tld.Name, label); found {
			return p, true
		}
	}
	at := slices.IndexFunc(tld.Policy.PremiumNames, func(p registry.PremiumName) bool { return p.Label == label })
	if at < 0 {
		return nil, false
	}
	return &tld.Policy.PremiumNames[at], true
}

// CheckLabel says whether a label can be on a list of a TLD.
func CheckLabel(label string) error {
	if reason := checkLabel(label); reason != "" {
		return &registry.Error{Code: registry.CodeParameterSyntax, Field: "label", Value: label, Reason: reason}
	}
	return nil
}

// CheckPremiumName says whether an entry can be on the list of premium names.
func CheckPremiumName(p *registry.PremiumName) error {
	if reason := checkPremiumName(p); reason != "" {
		return &registry.Error{Code: registry.CodeParameterSyntax, Field: "label", Value: p.Label, Reason: reason}
	}
	return nil
}

func checkLabel(label string) string {
	name, err := registry.ParseDomainName(label)
	if err != nil || string(name) != label || name.FirstLabel() != label {
		return fmt.Sprintf("%q is not a label in lower case", label)
	}
	return ""
}

func checkPremiumName(p *registry.PremiumName) string {
	if reason := checkLabel(p.Label); reason != "" {
		return reason
	}
	switch {
	case p.Class == "" || len(p.Class) > maxClassChars:
		return fmt.Sprintf("%q needs a price class of at most %d characters", p.Label, maxClassChars)
	case p.CreatePriceMinor < 0 || p.RenewPriceMinor < 0 || p.RestorePriceMinor < 0:
		return fmt.Sprintf("%q has a negative price", p.Label)
	}
	return ""
}
