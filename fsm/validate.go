package fsm

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// Bounds on what one command may carry. The edges refuse more; they are asserted again
// here because a committed entry must never be able to exhaust a node.
const (
	maxAddressesPerHost   = 13
	maxNameServersPerList = 26  // 13 to remove and 13 to add
	maxContactsPerList    = 100 // far above any TLD's policy
	maxStatusesPerList    = 11  // as many as RFC 5731 has
	maxTextChars          = 255
	maxStreetLines        = 3
	maxTokenLifetime      = 7 * 24 * 3600 // seconds
	maxPublicationOwners  = 10000
	sha256Octets          = 32
	maxAuthorities        = 2 // the old one and the new one of a rotation
	maxAuthorityOctets    = 4096
)

// checker collects the first violation found.
type checker struct{ err error }

func (k *checker) fail(code registry.Code, field, value, reason string, args ...any) {
	if k.err == nil {
		k.err = refuse(code, field, value, reason, args...)
	}
}

func (k *checker) require(ok bool, field, value, reason string, args ...any) {
	if !ok {
		k.fail(registry.CodeParameterSyntax, field, value, reason, args...)
	}
}

// name requires the canonical form, so that the same name is never two keys.
func (k *checker) name(field, value string) {
	canonical, err := registry.ParseDomainName(value)
	if bad, is := errors.AsType[*registry.Error](err); is {
		k.fail(bad.Code, field, value, "%s", bad.Reason)
		return
	}
	if string(canonical) != value {
		k.fail(registry.CodeParameterSyntax, field, value, "the canonical form of a name is lower case without a trailing dot")
	}
}

func (k *checker) text(field, value string) {
	k.require(len(value) <= 4*maxTextChars, field, "", "the text is longer than %d characters", maxTextChars)
}

func (k *checker) count(field string, have, limit int) {
	if have > limit {
		k.fail(registry.CodeParameterSyntax, field, fmt.Sprint(have), "at most %d are allowed in one command", limit)
	}
}

func (k *checker) contactID(field, value string) {
	if _, err := registry.ParseContactID(value); err != nil && k.err == nil {
		k.fail(registry.CodeParameterSyntax, field, value, "a contact id is 3 to 16 printable ASCII characters without spaces")
	}
}

func (k *checker) roid(value string) {
	k.require(len(value) >= 1 && len(value) <= 80, "roid", value, "the unique part of an object identifier has 1 to 80 characters")
}

func (k *checker) addresses(field string, list [][]byte) {
	k.count(field, len(list), maxAddressesPerHost)
	for _, b := range list {
		k.require(len(b) == 4 || len(b) == 16, field, "", "an address has 4 or 16 octets")
	}
}

func (k *checker) statuses(add, remove []string) {
	k.count("status", len(add), maxStatusesPerList)
	k.count("status", len(remove), maxStatusesPerList)
}

func (k *checker) authInfo(a *fsmpb.AuthInfo) {
	set := len(a.GetHash()) > 0
	k.require(!set || len(a.GetHash()) == sha256Octets && len(a.GetSalt()) >= 8 && len(a.GetSalt()) <= 32,
		"authInfo", "", "authorisation information is a salted SHA-256")
}

// Validate checks the shape of a command: everything that can be said without the state.
// The edges call it before they propose, Apply calls it again.
func Validate(command *fsmpb.Command) error {
	k := &checker{}
	k.require(len(command.GetActor().GetId()) <= 64, "actor", "", "an actor's id has at most 64 characters")
	k.require(len(command.GetCltrid()) <= 64*4, "clTRID", "", "a client transaction id has at most 64 characters")
	k.require(len(command.GetReason()) <= 1024, "reason", "", "a reason has at most 1024 octets")
	id := command.GetRequestId()
	k.require(len(id.GetOriginNode()) <= 64, "request_id", "", "a node id has at most 64 characters")
	k.body(command)
	return k.err
}

func (k *checker) body(command *fsmpb.Command) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_ClockSet:
		k.instant("time", body.ClockSet.GetTimeMs())
	case *fsmpb.Command_RegistrarCreate:
		k.registrarCreate(body.RegistrarCreate)
	case *fsmpb.Command_RegistrarUpdate:
		k.registrarUpdate(body.RegistrarUpdate)
	case *fsmpb.Command_TldPut:
		k.tldPut(body.TldPut)
	case *fsmpb.Command_ContactCreate:
		k.contactCreate(body.ContactCreate)
	case *fsmpb.Command_ContactUpdate:
		k.contactUpdate(body.ContactUpdate)
	case *fsmpb.Command_HostCreate:
		k.name("name", body.HostCreate.GetName())
		k.roid(body.HostCreate.GetRoid())
		k.addresses("addr", body.HostCreate.GetAddresses())
		k.ttls(body.HostCreate.GetTtls())
		k.orgLinks(body.HostCreate.GetOrgs(), nil, nil)
	case *fsmpb.Command_HostReturn:
		k.name("name", body.HostReturn.GetName())
	case *fsmpb.Command_HostUpdate:
		k.hostUpdate(body.HostUpdate)
	case *fsmpb.Command_DomainCreate:
		k.domainCreate(body.DomainCreate)
	case *fsmpb.Command_DomainUpdate:
		k.domainUpdate(body.DomainUpdate)
	case *fsmpb.Command_DomainRenew:
		k.fee(body.DomainRenew.GetFee())
	case *fsmpb.Command_DomainRestoreRequest:
		k.name("name", body.DomainRestoreRequest.GetName())
		k.fee(body.DomainRestoreRequest.GetFee())
	case *fsmpb.Command_DomainRestoreReport:
		k.restoreReport(body.DomainRestoreReport)
	case *fsmpb.Command_RegistrarPassword:
		k.registrarPassword(body.RegistrarPassword)
	case *fsmpb.Command_AuthInfoFailure:
		k.require(len(body.AuthInfoFailure.GetRoid()) <= maxROIDChars, "roid", "", "an object identifier has at most %d characters", maxROIDChars)
	case *fsmpb.Command_HostImport, *fsmpb.Command_DomainImport:
		k.imports(command)
	case *fsmpb.Command_ZonePublish:
		k.zonePublish(body.ZonePublish)
	case *fsmpb.Command_LaunchApplicationCreate, *fsmpb.Command_LaunchApplicationUpdate,
		*fsmpb.Command_LaunchApplicationDelete, *fsmpb.Command_LaunchApplicationDecide:
		k.launch(command)
	case *fsmpb.Command_AllocationTokenCreate:
		k.allocationTokenCreate(body.AllocationTokenCreate)
	case *fsmpb.Command_AllocationTokenRevoke:
		k.sha256("token_sha256", body.AllocationTokenRevoke.GetTokenSha256())
	default:
		if k.disclosures(command) || k.lists(command) {
			return
		}
		k.transferOrPoll(command)
		k.organisations(command)
		k.serverUpdate(command)
		k.maintenance(command)
		k.membership(command)
		k.zoneKeys(command)
	}
}

// membership checks commands about the cluster itself.
func (k *checker) membership(command *fsmpb.Command) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_ClusterInit:
		k.clusterInit(body.ClusterInit)
	case *fsmpb.Command_JoinTokenCreate:
		k.joinTokenCreate(body.JoinTokenCreate)
	case *fsmpb.Command_NodeJoin:
		k.sha256("token_sha256", body.NodeJoin.GetTokenSha256())
		k.node(body.NodeJoin.GetNode())
	case *fsmpb.Command_NodeUpdate:
		k.node(&fsmpb.Node{Id: body.NodeUpdate.GetNodeId(), RaftAddress: body.NodeUpdate.GetRaftAddress(), GrpcAddress: body.NodeUpdate.GetGrpcAddress()})
	case *fsmpb.Command_NodeRole:
		role := registry.NodeRole(body.NodeRole.GetRole())
		k.require(role == registry.RoleVoter || role == registry.RoleReplica, "role", "", "want voter or replica")
	case *fsmpb.Command_TrustPut:
		k.count("authorities", len(body.TrustPut.GetAuthorities()), maxAuthorities)
		k.require(len(body.TrustPut.GetAuthorities()) > 0, "authorities", "", "at least one authority must be trusted")
		for _, der := range body.TrustPut.GetAuthorities() {
			k.require(len(der) > 0 && len(der) <= maxAuthorityOctets, "authorities", "", "a certificate has 1 to %d octets", maxAuthorityOctets)
		}
	case *fsmpb.Command_OperatorRevoke:
		name, sum := body.OperatorRevoke.GetName(), body.OperatorRevoke.GetSha256()
		k.require(name != "" && len(name) <= 64, "name", name, "an operator's name has 1 to 64 characters")
		k.require(len(sum) == 0 || len(sum) == sha256Octets, "sha256", "", "a fingerprint has %d octets", sha256Octets)
	}
}

func (k *checker) sha256(field string, value []byte) {
	k.require(len(value) == sha256Octets, field, "", "a SHA-256 has 32 octets")
}

// instant bounds times to what a four-digit year can say.
func (k *checker) instant(field string, ms int64) {
	t := time.UnixMilli(ms).UTC()
	k.require(t.Year() >= 1970 && t.Year() <= 9000, field, "", "the time lies outside the years 1970 to 9000")
}

func (k *checker) clusterInit(c *fsmpb.ClusterInit) {
	k.require(len(c.GetClusterId()) >= 8 && len(c.GetClusterId()) <= 64, "cluster_id", c.GetClusterId(), "a cluster id has 8 to 64 characters")
	mode := registry.ClockMode(c.GetClockMode())
	k.require(mode == registry.ClockSystem || mode == registry.ClockManual, "clock_mode", fmt.Sprint(c.GetClockMode()), "the clock is the system's or manual")
	k.instant("clock_start", c.GetClockStartMs())
	k.node(c.GetFirstNode())
}

func (k *checker) node(n *fsmpb.Node) {
	k.require(len(n.GetId()) >= 1 && len(n.GetId()) <= 63, "node", n.GetId(), "a node id has 1 to 63 characters")
	for _, c := range []byte(n.GetId()) {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
		k.require(ok, "node", n.GetId(), "a node id is made of letters, digits, dots, hyphens and underscores")
	}
	k.require(len(n.GetRaftAddress()) <= 300 && len(n.GetGrpcAddress()) <= 300, "node", n.GetId(), "an address has at most 300 characters")
}

func (k *checker) joinTokenCreate(c *fsmpb.JoinTokenCreate) {
	k.sha256("token_sha256", c.GetTokenSha256())
	role := registry.NodeRole(c.GetRole())
	k.require(role == registry.RoleVoter || role == registry.RoleReplica, "role", fmt.Sprint(c.GetRole()), "a node is a voter or a replica")
	k.require(c.GetLifetimeSeconds() > 0 && c.GetLifetimeSeconds() <= maxTokenLifetime, "lifetime", fmt.Sprint(c.GetLifetimeSeconds()), "a join token lives for one second to seven days")
}

func (k *checker) registrarCreate(c *fsmpb.RegistrarCreate) {
	if _, err := registry.ParseRegistrarID(c.GetId()); err != nil && k.err == nil {
		k.err = err
	}
	k.roid(c.GetRoid())
	for _, s := range []string{c.GetName(), c.GetEmail(), c.GetUrl(), c.GetPasswordHash()} {
		k.text("text", s)
	}
	k.require(len(c.GetCurrency()) == 3, "currency", c.GetCurrency(), "a currency is a three-letter ISO 4217 code")
	k.count("certificate", len(c.GetCertificateSha256()), maxRegistrarCertificates)
	for _, fp := range c.GetCertificateSha256() {
		k.sha256("certificate", fp)
	}
	for _, tld := range c.GetTlds() {
		k.name("tld", tld)
	}
	k.require(c.GetCreditLimitMinor() >= 0, "credit_limit", "", "a credit limit is not negative")
	k.require(c.GetLowBalanceMinor() >= 0, "low_balance", "", "a threshold of a low balance is not negative")
	k.registrarPublic(c.GetPublic())
	k.registrarAccess(c.GetSources(), nil, c.GetThinTlds(), c.GetQueryRate(), c.GetTransformRate())
}

func (k *checker) registrarUpdate(c *fsmpb.RegistrarUpdate) {
	for _, s := range []string{c.GetName(), c.GetEmail(), c.GetUrl(), c.GetPasswordHash()} {
		k.text("text", s)
	}
	for _, fp := range append(c.GetAddCertificateSha256(), c.GetRemoveCertificateSha256()...) {
		k.sha256("certificate", fp)
	}
	for _, tld := range append(c.GetAddTlds(), c.GetRemoveTlds()...) {
		k.name("tld", tld)
	}
	k.require(c.GetCreditLimitMinor() >= 0, "credit_limit", "", "a credit limit is not negative")
	k.require(c.GetLowBalanceMinor() >= 0, "low_balance", "", "a threshold of a low balance is not negative")
	k.registrarPublic(c.GetPublic())
	k.registrarAccess(c.GetAddSources(), c.GetRemoveSources(), slices.Concat(c.GetAddThinTlds(), c.GetRemoveThinTlds()), c.GetQueryRate(), c.GetTransformRate())
	state := registry.RegistrarState(c.GetState())
	k.require(c.State == nil || state == registry.RegistrarActive || state == registry.RegistrarSuspended, "state", fmt.Sprint(c.GetState()), "a registrar is active or suspended")
	k.require(c.State == nil || !c.GetDisable(), "state", fmt.Sprint(c.GetState()), "a registrar that is disabled is in no other state")
}

func (k *checker) tldPut(c *fsmpb.TLDPut) {
	k.name("name", c.GetName())
	k.roid(c.GetRoid())
	p := c.GetPolicy()
	k.require(p != nil, "policy", "", "a TLD needs a policy")
	k.require(len(p.ProtoReflect().GetUnknown()) == 0, "policy", "", "the policy holds fields that this version does not know")
	k.count("apex_servers", len(p.GetApexServers()), 13)
	for _, server := range p.GetApexServers() {
		k.name("apex_servers", server.GetName())
		k.addresses("apex_servers", server.GetAddresses())
	}
	if p.GetSacrificialDomain() != "" {
		k.name("sacrificial_domain", p.GetSacrificialDomain())
	}
	if p.GetSoaMname() != "" {
		k.name("soa_mname", p.GetSoaMname())
	}
	if p.GetSoaRname() != "" {
		k.name("soa_rname", p.GetSoaRname())
	}
	k.count("reserved_labels", len(p.GetReservedLabels()), 10000)
	k.count("idn_tables", len(p.GetIdnTables())+len(p.GetIdnCustomTables()), policy.MaxIDNTables)
	k.count("premium_names", len(p.GetPremiumNames()), policy.MaxPremiumNames)
	k.launchPhases(p.GetLaunchPhases())
}

// maxChainKeyOctets bounds a place in a denial chain: one octet, and a name or a hash.
const maxChainKeyOctets = 256

func (k *checker) zonePublish(c *fsmpb.ZonePublish) {
	k.name("tld", c.GetTld())
	k.count("changes", len(c.GetChanges()), maxPublicationOwners)
	for _, change := range c.GetChanges() {
		k.name("owner", change.GetOwner())
		k.count("chain_key", len(change.GetChainKey()), maxChainKeyOctets)
	}
}
