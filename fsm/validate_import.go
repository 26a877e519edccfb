package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// maxImportedHosts bounds the hosts below one domain in a command; more name servers than a TLD allows make no sense.
const maxImportedHosts = 64

func (k *checker) imports(command *fsmpb.Command) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_HostImport:
		k.importer(command, body.HostImport.GetRegistrar())
		k.name("name", body.HostImport.GetName())
		k.roid(body.HostImport.GetRoid())
	case *fsmpb.Command_DomainImport:
		c := body.DomainImport
		k.importer(command, c.GetRegistrar())
		k.domainCreate(&fsmpb.DomainCreate{
			Name: c.GetName(), Roid: c.GetRoid(), PeriodYears: c.GetPeriodYears(), Registrant: c.GetRegistrant(), NameServers: c.GetNameServers(), Ds: c.GetDs(),
		})
		k.count("host", len(c.GetHosts()), maxImportedHosts)
		for _, h := range c.GetHosts() {
			k.name("host", h.GetName())
			k.roid(h.GetRoid())
			k.addresses("addr", h.GetAddresses())
			k.require(len(h.GetAddresses()) > 0, "addr", h.GetName(), "a host inside a TLD needs an address")
			k.require(registry.DomainName(h.GetName()).IsBelow(registry.DomainName(c.GetName())) || h.GetName() == c.GetName(),
				"host", h.GetName(), "the host does not lie below the domain")
		}
	}
}

func (k *checker) importer(command *fsmpb.Command, registrar string) {
	k.require(registrar != "", "registrar", "", "an import is for a registrar")
	k.require(command.GetReason() != "", "reason", "", "an import needs a reason, which the history keeps")
}
