package epp

import (
	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/idn"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// idnElements are what commands carry about internationalised names.
func idnElements() []extensionElement {
	return []extensionElement{{"data", isBody[*eppxml.DomainCreate], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
		x.idn, err = eppxml.DecodeIDNData(e)
		return err
	}}}
}

// addIDN puts what the registrar says of an internationalised name into the command.
func (c *call) addIDN(command *fsmpb.DomainCreate) {
	if given := c.extensions.idn; given != nil {
		command.IdnTable, command.IdnUname = given.Table, given.UName
	}
}

// shownIDN is what create and info say of an internationalised name: the table under which
// it is registered, and the name in Unicode.
func shownIDN(name, table string) []extensionData {
	if table == "" {
		return nil
	}
	return []extensionData{{uri: eppxml.NSIDN, xml: eppxml.AppendIDNData(nil, &eppxml.IDNData{Table: table, UName: idn.Display(name)})}}
}

// idnUnavailable says why a free name cannot be registered for its characters or its
// variants, "" if it can. The registrar's own variants are available where the TLD allows
// them.
func (c *call) idnUnavailable(tx *store.ReadTx, tld *registry.TLD, name registry.DomainName) string {
	if !policy.OffersIDNs(tld) {
		return ""
	}
	lenient := *tld
	lenient.Policy.IDNTableRequired = false // a check cannot say the table
	named, err := policy.IDNOf(&lenient, name, "", "")
	if err != nil {
		return reasonCharacters
	}
	var others []*registry.Domain
	for _, other := range tx.RegisteredVariants(tld.Name, name, policy.VariantKey(name, named), maxCheckedVariants) {
		if domain, found := tx.Domain(other); found {
			others = append(others, domain)
		}
	}
	if len(others) > 0 && policy.CheckVariant(tld, name, c.registrar, others) != nil {
		return reasonVariant
	}
	return ""
}
