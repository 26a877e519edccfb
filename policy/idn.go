package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cadastre/idn"
	"cadastre/registry"
)

// Bounds of what a TLD says of IDN tables: its record is read with every command.
const (
	MaxIDNTables            = 64
	maxIDNCustomTableOctets = 96 << 10 // of all together
)

// OffersIDNs says whether internationalised names can be registered under the TLD.
func OffersIDNs(tld *registry.TLD) bool {
	return len(tld.Policy.IDNTables)+len(tld.Policy.IDNCustomTables) > 0
}

// IDNSet returns the tables that the TLD offers.
func IDNSet(tld *registry.TLD) (*idn.Set, error) { return idnSet(&tld.Policy, idn.LoadTable) }

func idnSet(p *registry.TLDPolicy, parse func(string) (*idn.Table, error)) (*idn.Set, error) {
	var tables []*idn.Table
	for _, tag := range p.IDNTables {
		table, found := idn.Builtin(tag)
		if !found {
			return nil, fmt.Errorf("there is no IDN table %q; tables that do not come with the program are given by idn_custom_tables; these do: %s", tag, strings.Join(idn.BuiltinTags(), ", "))
		}
		tables = append(tables, table)
	}
	for _, text := range p.IDNCustomTables {
		table, err := parse(text)
		if err != nil {
			return nil, err
		}
		tables = append(tables, table)
	}
	return idn.NewSet(tables)
}

// checkIDN returns what is wrong with the tables of a policy, "" if nothing is.
func checkIDN(p *registry.TLDPolicy) string {
	octets := 0
	for _, text := range p.IDNCustomTables {
		octets += len(text)
	}
	switch {
	case len(p.IDNTables)+len(p.IDNCustomTables) > MaxIDNTables || octets > maxIDNCustomTableOctets:
		return fmt.Sprintf("a TLD has at most %d IDN tables, and those of its own at most %d octets together", MaxIDNTables, maxIDNCustomTableOctets)
	case len(p.IDNTables)+len(p.IDNCustomTables) == 0 && (p.IDNOnly || p.IDNTableRequired || p.IDNVariantsForRegistrar):
		return "idn_only, idn_table_required and idn_variants_for_registrar need IDN tables"
	}
	if _, err := idnSet(p, idn.ParseTable); err != nil {
		return err.Error()
	}
	return ""
}

// CheckIDNChange says whether the tables of a TLD under which internationalised names are
// registered can be replaced: every such name keeps its variants.
func CheckIDNChange(old, next *registry.TLD) error {
	before, err := IDNSet(old)
	if err != nil {
		return fmt.Errorf("read the IDN tables of .%s: %w", old.Name, err)
	}
	after, err := IDNSet(next)
	if err != nil {
		return fmt.Errorf("read the new IDN tables of .%s: %w", next.Name, err)
	}
	if err := before.SameKeys(after); err != nil {
		return &registry.Error{Code: registry.CodeAssociationForbids, Field: "idn_tables", Value: string(old.Name),
			Reason: fmt.Sprintf("internationalised names are registered under this TLD, and %v", err)}
	}
	return nil
}

// IDNOf returns what the name, which CheckRegistrable admits, is registered as. tag and uName
// are what the registrar says of it, each "" if it says nothing: the table, and the whole name
// in Unicode. Without a tag it is the first table that holds the label, where the TLD deduces.
func IDNOf(tld *registry.TLD, name registry.DomainName, tag, uName string) (registry.IDN, error) {
	refuse := func(code registry.Code, field, value, reason string) (registry.IDN, error) {
		return registry.IDN{}, &registry.Error{Code: code, Field: field, Value: value, Reason: reason}
	}
	if !idn.HasPrefix(name.FirstLabel()) {
		if tag != "" || uName != "" {
			return refuse(registry.CodeParameterPolicy, "table", tag, "the name is not an internationalised one")
		}
		return registry.IDN{}, checkLabelBidi(tld, name, name.FirstLabel())
	}
	set, err := IDNSet(tld)
	if err != nil {
		return registry.IDN{}, fmt.Errorf("read the IDN tables of .%s: %w", tld.Name, err)
	}
	label, err := idn.ULabel(name.FirstLabel())
	if err != nil {
		return registry.IDN{}, labelError(name, err)
	}
	if err := checkLabelBidi(tld, name, label); err != nil {
		return registry.IDN{}, err
	}
	var table *idn.Table
	var found bool
	switch {
	case tag != "":
		if table, found = set.Table(tag); !found {
			return refuse(registry.CodeParameterPolicy, "table", tag, "this TLD has no such IDN table, but "+strings.Join(set.Tags(), ", "))
		}
	case tld.Policy.IDNTableRequired:
		return refuse(registry.CodeParameterMissing, "table", "", "the create of an internationalised name says its IDN table: "+strings.Join(set.Tags(), ", "))
	default:
		if table, found = set.Deduce(label); !found {
			return refuse(registry.CodeParameterPolicy, "name", string(name), "no IDN table of this TLD holds all characters of the label: "+strings.Join(set.Tags(), ", "))
		}
	}
	if err := table.Check(label); err != nil {
		return registry.IDN{}, labelError(name, err)
	}
	if err := checkUName(name, label, uName); err != nil {
		return registry.IDN{}, err
	}
	key := set.Key(label)
	if slices.Contains(tld.Policy.ReservedLabels, key) {
		return refuse(registry.CodeParameterPolicy, "name", string(name), "the label is a variant of one that is reserved under this TLD")
	}
	return registry.IDN{Table: table.Tag, Key: key}, nil
}

// checkUName compares the name in Unicode that a registrar gives with the name itself.
func checkUName(name registry.DomainName, label, uName string) error {
	parent := string(name.Parent())
	if uName == "" || uName == label+"."+idn.Display(parent) || uName == label+"."+parent {
		return nil
	}
	given, _, _ := strings.Cut(uName, ".")
	if _, err := idn.ALabel(given); err != nil {
		return &registry.Error{Code: registry.CodeParameterSyntax, Field: "uname", Value: uName, Reason: err.Error()}
	}
	return &registry.Error{Code: registry.CodeParameterPolicy, Field: "uname", Value: uName,
		Reason: fmt.Sprintf("the name in Unicode is not that of %s, which is %s", name, idn.Display(string(name)))}
}

func checkLabelBidi(tld *registry.TLD, name registry.DomainName, label string) error {
	if err := idn.CheckBidi(label, string(tld.Name)); err != nil {
		return labelError(name, err)
	}
	return nil
}

func labelError(name registry.DomainName, err error) error {
	code := registry.CodeParameterSyntax
	if refused, found := errors.AsType[*idn.Error](err); found && refused.Policy {
		code = registry.CodeParameterPolicy
	}
	return &registry.Error{Code: code, Field: "name", Value: string(name), Reason: err.Error()}
}

// VariantKey returns what the name has in common with its variants under the TLD.
func VariantKey(name registry.DomainName, of registry.IDN) string {
	if of.Key != "" {
		return of.Key
	}
	return name.FirstLabel()
}

// CheckVariant says whether a registrar may register a name beside others that are variants
// of it. others are not empty; the first of them is the primary.
func CheckVariant(tld *registry.TLD, name registry.DomainName, registrar registry.RegistrarID, others []*registry.Domain) error {
	primary := others[0]
	refuse := func(reason string, args ...any) error {
		return &registry.Error{Code: registry.CodeObjectExists, Field: "name", Value: string(name), Reason: fmt.Sprintf(reason, args...)}
	}
	if !tld.Policy.IDNVariantsForRegistrar {
		return refuse("the name is a variant of %s, which is registered", primary.Name)
	}
	for _, other := range others {
		if other.Sponsor != registrar {
			return refuse("the name is a variant of %s, which is registered by another registrar", primary.Name)
		}
		if other.Transfer.IsPending() {
			return refuse("the name is a variant of %s, whose transfer is pending", other.Name)
		}
	}
	return nil
}
