package main

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// tldDocument is the policy of a TLD as operators write it. Prices are decimal amounts,
// periods days unless their names say otherwise.
type tldDocument struct {
	Name       string `toml:"name" json:"name"`
	ROIDSuffix string `toml:"roid_suffix" json:"roid_suffix" comment:"ends the object identifiers of this TLD (RFC 5730 section 2.8)"`
	Currency   string `toml:"currency" json:"currency"`

	CreatePrice   string `toml:"create_price" json:"create_price" comment:"a year"`
	RenewPrice    string `toml:"renew_price" json:"renew_price" comment:"a year"`
	TransferPrice string `toml:"transfer_price" json:"transfer_price"`
	RestorePrice  string `toml:"restore_price" json:"restore_price"`

	MinPeriodYears uint32 `toml:"min_period_years" json:"min_period_years"`
	MaxPeriodYears uint32 `toml:"max_period_years" json:"max_period_years"`
	AutoRenew      bool   `toml:"auto_renew" json:"auto_renew" comment:"renew at expiry; otherwise the domain is deleted"`

	AddGraceDays       uint32 `toml:"add_grace_days" json:"add_grace_days"`
	RenewGraceDays     uint32 `toml:"renew_grace_days" json:"renew_grace_days"`
	AutoRenewGraceDays uint32 `toml:"auto_renew_grace_days" json:"auto_renew_grace_days"`
	TransferGraceDays  uint32 `toml:"transfer_grace_days" json:"transfer_grace_days"`
	RedemptionDays     uint32 `toml:"redemption_days" json:"redemption_days"`
	PendingDeleteDays  uint32 `toml:"pending_delete_days" json:"pending_delete_days"`

	TransferPendingDays uint32 `toml:"transfer_pending_days" json:"transfer_pending_days" comment:"for the losing registrar to answer a request for transfer; 0 stands for 5"`

	MinNameServers        uint32   `toml:"min_name_servers" json:"min_name_servers" comment:"of a delegation; a domain without any is always allowed"`
	MaxNameServers        uint32   `toml:"max_name_servers" json:"max_name_servers"`
	MaxContacts           uint32   `toml:"max_contacts" json:"max_contacts" comment:"admin, tech and billing together"`
	RegistrantRequired    bool     `toml:"registrant_required" json:"registrant_required"`
	AllowPrivateAddresses bool     `toml:"allow_private_addresses" json:"allow_private_addresses" comment:"private and documentation addresses as glue"`
	DataModel             string   `toml:"data_model" json:"data_model" comment:"thick: domains have contacts; thin: they have none; per-registrar: as the record of the registrar says"`
	ReservedLabels        []string `toml:"reserved_labels" json:"reserved_labels"`

	AllowWeakAuthInfo    bool   `toml:"allow_weak_auth_info" json:"allow_weak_auth_info" comment:"authInfo that can be guessed, against RFC 9154 section 4.1"`
	AuthInfoDays         uint32 `toml:"auth_info_days" json:"auth_info_days" comment:"for which authInfo can be used once it is set (RFC 9154 section 4.2); 0 stands for 30"`
	KeyDataInterface     bool   `toml:"key_data_interface" json:"key_data_interface" comment:"registrars give keys rather than DS records (RFC 5910 section 4)"`
	MaxDelegationSigners uint32 `toml:"max_delegation_signers" json:"max_delegation_signers" comment:"DS records or keys of a domain; 0 stands for 8"`
	RestoreReportDays    uint32 `toml:"restore_report_days" json:"restore_report_days" comment:"for the report of a restore (RFC 3915); 0 stands for 7"`

	ApexTTLSeconds       uint32 `toml:"apex_ttl_seconds" json:"apex_ttl_seconds"`
	DelegationTTLSeconds uint32 `toml:"delegation_ttl_seconds" json:"delegation_ttl_seconds"`

	ExpiryGraceDays   uint32 `toml:"expiry_grace_days" json:"expiry_grace_days" comment:"without auto_renew: an expired domain can still be renewed"`
	PurgeTimeSeconds  uint32 `toml:"purge_time_seconds" json:"purge_time_seconds" comment:"deleted names become free at this time of the day (UTC), 1 to 86400; 0 stands for any time"`
	HostAttributes    bool   `toml:"host_attributes" json:"host_attributes" comment:"name servers are attributes of domains, not objects; cannot be changed later"`
	SacrificialDomain string `toml:"sacrificial_domain" json:"sacrificial_domain" comment:"hosts that others use live on under it when their domain is purged; empty: they are deleted (RFC 9874)"`

	PremiumNames []premiumDocument `toml:"premium_names" json:"premium_names" comment:"labels with prices of their own"`

	RDDS rddsDocument `toml:"rdds" json:"rdds" comment:"what RDAP and WHOIS show"`

	Signing signingDocument `toml:"signing" json:"signing" comment:"how the zone is signed"`

	KeepApplicationDays uint32              `toml:"keep_application_days" json:"keep_application_days" comment:"for which a decided application of the launch is kept; 0 stands for 90"`
	KeepTokenDays       uint32              `toml:"keep_token_days" json:"keep_token_days" comment:"for which an allocation token is kept that was used, has expired or was revoked; 0 stands for 90"`
	Publication         publicationDocument `toml:"publication" json:"publication" comment:"what a publication may take away; beyond that the zone is held until \"cadastre zone release\""`

	LaunchPhases []launchPhaseDocument `toml:"launch_phases" json:"launch_phases" comment:"phases of the launch (RFC 8334); without any the TLD is open"`

	TTLBounds               []ttlBoundsDocument `toml:"ttl_bounds" json:"ttl_bounds" comment:"which TTLs registrars may set, where that is not 300 to 172800 seconds (RFC 9803)"`
	IDNTables               []string            `toml:"idn_tables" json:"idn_tables" comment:"IDN tables on offer, in the order in which they are tried: \"cadastre tld tables\" lists them; without any, no internationalised names"`
	IDNCustomTables         []string            `toml:"idn_custom_tables,multiline" json:"idn_custom_tables" comment:"texts of tables that do not come with the program"`
	IDNVariantsForRegistrar bool                `toml:"idn_variants_for_registrar" json:"idn_variants_for_registrar" comment:"the registrar of a name may register its variants; otherwise nobody may"`
	IDNTableRequired        bool                `toml:"idn_table_required" json:"idn_table_required" comment:"registrars say which table they mean; otherwise it is deduced"`
	IDNOnly                 bool                `toml:"idn_only" json:"idn_only" comment:"no ASCII names"`

	SOA         soaDocument          `toml:"soa" json:"soa"`
	ApexServers []apexServerDocument `toml:"apex_servers" json:"apex_servers" comment:"the name servers of the TLD itself"`
}

type premiumDocument struct {
	Label        string `toml:"label" json:"label"`
	Class        string `toml:"class" json:"class"`
	CreatePrice  string `toml:"create_price" json:"create_price"`
	RenewPrice   string `toml:"renew_price" json:"renew_price"`
	RestorePrice string `toml:"restore_price" json:"restore_price"`
}

type soaDocument struct {
	MName          string `toml:"mname" json:"mname"`
	RName          string `toml:"rname" json:"rname"`
	RefreshSeconds uint32 `toml:"refresh_seconds" json:"refresh_seconds"`
	RetrySeconds   uint32 `toml:"retry_seconds" json:"retry_seconds"`
	ExpireSeconds  uint32 `toml:"expire_seconds" json:"expire_seconds"`
	MinimumSeconds uint32 `toml:"minimum_seconds" json:"minimum_seconds"`
}

type apexServerDocument struct {
	Name      string   `toml:"name" json:"name"`
	Addresses []string `toml:"addresses" json:"addresses"`
}

// ttlBoundsDocument is what registrars may set as TTL of NS, DS, A or AAAA records.
type ttlBoundsDocument struct {
	Type           string `toml:"type" json:"type"`
	MinSeconds     uint32 `toml:"min_seconds" json:"min_seconds"`
	MaxSeconds     uint32 `toml:"max_seconds" json:"max_seconds" comment:"0: they cannot set it"`
	DefaultSeconds uint32 `toml:"default_seconds" json:"default_seconds" comment:"0 stands for delegation_ttl_seconds"`
}

func ttlBoundsDocuments(all []registry.TTLBounds) []ttlBoundsDocument {
	documents := []ttlBoundsDocument{}
	for _, b := range all {
		documents = append(documents, ttlBoundsDocument{Type: string(b.Type), MinSeconds: b.Min, MaxSeconds: b.Max, DefaultSeconds: b.Default})
	}
	return documents
}

func (d *tldDocument) parseTTLBounds() []registry.TTLBounds {
	var all []registry.TTLBounds
	for _, b := range d.TTLBounds {
		all = append(all, registry.TTLBounds{Type: registry.RecordType(b.Type), Min: b.MinSeconds, Max: b.MaxSeconds, Default: b.DefaultSeconds})
	}
	return all
}

// maxDocumentBytes bounds a policy document: ten thousand reserved labels fit well.
const maxDocumentBytes = 1 << 20

// readTLDDocument reads and checks a policy document; name is for messages.
func readTLDDocument(r io.Reader, name string) (*registry.TLD, error) {
	var doc tldDocument
	if err := decodeStrict(toml.NewDecoder(io.LimitReader(r, maxDocumentBytes)), name, &doc); err != nil {
		return nil, err
	}
	tld, err := doc.parse()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return tld, nil
}

// parse converts the document and checks the policy as the cluster will.
func (d *tldDocument) parse() (*registry.TLD, error) {
	name, err := registry.ParseDomainName(d.Name)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", "name", err)
	}
	tld := &registry.TLD{Name: name, Policy: registry.TLDPolicy{
		ROIDSuffix: d.ROIDSuffix, Currency: d.Currency,
		MinPeriodYears: d.MinPeriodYears, MaxPeriodYears: d.MaxPeriodYears, AutoRenew: d.AutoRenew,
		AddGraceDays: d.AddGraceDays, RenewGraceDays: d.RenewGraceDays, AutoRenewGraceDays: d.AutoRenewGraceDays,
		TransferGraceDays: d.TransferGraceDays, RedemptionDays: d.RedemptionDays, PendingDeleteDays: d.PendingDeleteDays,
		MinNameServers: d.MinNameServers, MaxNameServers: d.MaxNameServers, MaxContacts: d.MaxContacts,
		RegistrantRequired: d.RegistrantRequired, AllowPrivateAddresses: d.AllowPrivateAddresses, ReservedLabels: d.ReservedLabels,
		TransferPendingDays: d.TransferPendingDays,
		AllowWeakAuthInfo:   d.AllowWeakAuthInfo, KeyDataInterface: d.KeyDataInterface,
		MaxDelegationSigners: d.MaxDelegationSigners, RestoreReportDays: d.RestoreReportDays,
		SOARefreshSeconds: d.SOA.RefreshSeconds, SOARetrySeconds: d.SOA.RetrySeconds, SOAExpireSeconds: d.SOA.ExpireSeconds,
		SOAMinimumSeconds: d.SOA.MinimumSeconds, ApexTTLSeconds: d.ApexTTLSeconds, DelegationTTLSeconds: d.DelegationTTLSeconds,
		TTLBounds: d.parseTTLBounds(), AuthInfoDays: d.AuthInfoDays,
		ExpiryGraceDays: d.ExpiryGraceDays, PurgeTimeSeconds: d.PurgeTimeSeconds, HostAttributes: d.HostAttributes,
		IDNTables: d.IDNTables, IDNCustomTables: d.IDNCustomTables, IDNVariantsForRegistrar: d.IDNVariantsForRegistrar,
		IDNTableRequired: d.IDNTableRequired, IDNOnly: d.IDNOnly, RDDS: d.RDDS.parse(),
		KeepApplicationDays: d.KeepApplicationDays, KeepTokenDays: d.KeepTokenDays,
		MaxRemovedDelegations: d.Publication.MaxRemovedDelegations, MaxRemovedPercent: d.Publication.MaxRemovedPercent,
	}}
	p := &tld.Policy
	if d.SacrificialDomain != "" {
		if p.SacrificialDomain, err = registry.ParseDomainName(d.SacrificialDomain); err != nil {
			return nil, fmt.Errorf("key %q: %w", "sacrificial_domain", err)
		}
	}
	if p.DataModel, err = registry.ParseDataModel(firstNonEmpty(d.DataModel, registry.DataModelThick.String())); err != nil {
		return nil, fmt.Errorf("key %q: %w", "data_model", err)
	}
	for _, price := range []struct {
		key, text string
		minor     *int64
	}{
		{"create_price", d.CreatePrice, &p.CreatePriceMinor}, {"renew_price", d.RenewPrice, &p.RenewPriceMinor},
		{"transfer_price", d.TransferPrice, &p.TransferPriceMinor}, {"restore_price", d.RestorePrice, &p.RestorePriceMinor},
	} {
		if *price.minor, err = registry.ParseMinorUnits(firstNonEmpty(price.text, "0")); err != nil {
			return nil, fmt.Errorf("key %q: %w", price.key, err)
		}
	}
	for _, host := range []struct {
		key, text string
		name      *registry.DomainName
	}{{"soa.mname", d.SOA.MName, &p.SOAMName}, {"soa.rname", d.SOA.RName, &p.SOARName}} {
		if *host.name, err = registry.ParseDomainName(host.text); err != nil {
			return nil, fmt.Errorf("key %q: %w", host.key, err)
		}
	}
	if p.PremiumNames, err = d.parsePremiumNames(); err != nil {
		return nil, err
	}
	if p.LaunchPhases, err = d.parseLaunchPhases(); err != nil {
		return nil, err
	}
	if p.Signing, err = d.Signing.parse(); err != nil {
		return nil, err
	}
	if p.ApexServers, err = d.parseApexServers(); err != nil {
		return nil, err
	}
	return tld, policy.CheckPolicy(tld.Name, p)
}

func (d *tldDocument) parseApexServers() ([]registry.ApexServer, error) {
	var servers []registry.ApexServer
	for _, s := range d.ApexServers {
		name, err := registry.ParseDomainName(s.Name)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", "apex_servers.name", err)
		}
		server := registry.ApexServer{Name: name}
		for _, text := range s.Addresses {
			addr, err := netip.ParseAddr(text)
			if err != nil || addr.Zone() != "" {
				return nil, fmt.Errorf("key %q: %q is not an IP address", "apex_servers.addresses", text)
			}
			server.Addresses = append(server.Addresses, addr.Unmap())
		}
		servers = append(servers, server)
	}
	return servers, nil
}

func (d *tldDocument) parsePremiumNames() ([]registry.PremiumName, error) {
	var names []registry.PremiumName
	for _, given := range d.PremiumNames {
		name := registry.PremiumName{Label: given.Label, Class: given.Class}
		for _, price := range []struct {
			key, text string
			minor     *int64
		}{
			{"create_price", given.CreatePrice, &name.CreatePriceMinor}, {"renew_price", given.RenewPrice, &name.RenewPriceMinor},
			{"restore_price", given.RestorePrice, &name.RestorePriceMinor},
		} {
			var err error
			if *price.minor, err = registry.ParseMinorUnits(price.text); err != nil {
				return nil, fmt.Errorf("key \"premium_names.%s\" of %q: %w", price.key, given.Label, err)
			}
		}
		names = append(names, name)
	}
	return names, nil
}

// documentOf is the inverse of parse.
func documentOf(name registry.DomainName, p *registry.TLDPolicy) *tldDocument {
	d := &tldDocument{
		Name: string(name), ROIDSuffix: p.ROIDSuffix, Currency: p.Currency,
		CreatePrice: registry.FormatMinorUnits(p.CreatePriceMinor), RenewPrice: registry.FormatMinorUnits(p.RenewPriceMinor),
		TransferPrice: registry.FormatMinorUnits(p.TransferPriceMinor), RestorePrice: registry.FormatMinorUnits(p.RestorePriceMinor),
		MinPeriodYears: p.MinPeriodYears, MaxPeriodYears: p.MaxPeriodYears, AutoRenew: p.AutoRenew,
		AddGraceDays: p.AddGraceDays, RenewGraceDays: p.RenewGraceDays, AutoRenewGraceDays: p.AutoRenewGraceDays,
		TransferGraceDays: p.TransferGraceDays, RedemptionDays: p.RedemptionDays, PendingDeleteDays: p.PendingDeleteDays,
		MinNameServers: p.MinNameServers, MaxNameServers: p.MaxNameServers, MaxContacts: p.MaxContacts,
		RegistrantRequired: p.RegistrantRequired, AllowPrivateAddresses: p.AllowPrivateAddresses,
		ReservedLabels: append([]string{}, p.ReservedLabels...),
		TTLBounds:      ttlBoundsDocuments(p.TTLBounds), Signing: signingDocumentOf(&p.Signing), RDDS: rddsDocumentOf(&p.RDDS), LaunchPhases: launchPhaseDocuments(p.LaunchPhases), DataModel: p.DataModel.String(), AuthInfoDays: p.AuthInfoDays,
		IDNTables: append([]string{}, p.IDNTables...), IDNCustomTables: append([]string{}, p.IDNCustomTables...),
		IDNVariantsForRegistrar: p.IDNVariantsForRegistrar, IDNTableRequired: p.IDNTableRequired, IDNOnly: p.IDNOnly,
		ApexTTLSeconds: p.ApexTTLSeconds, DelegationTTLSeconds: p.DelegationTTLSeconds, TransferPendingDays: p.TransferPendingDays,
		AllowWeakAuthInfo: p.AllowWeakAuthInfo, KeyDataInterface: p.KeyDataInterface,
		MaxDelegationSigners: p.MaxDelegationSigners, RestoreReportDays: p.RestoreReportDays,
		ExpiryGraceDays: p.ExpiryGraceDays, PurgeTimeSeconds: p.PurgeTimeSeconds, HostAttributes: p.HostAttributes,
		SacrificialDomain: string(p.SacrificialDomain), KeepApplicationDays: p.KeepApplicationDays, KeepTokenDays: p.KeepTokenDays,
		Publication: publicationDocument{MaxRemovedDelegations: p.MaxRemovedDelegations, MaxRemovedPercent: p.MaxRemovedPercent},
		SOA: soaDocument{
			MName: string(p.SOAMName), RName: string(p.SOARName), RefreshSeconds: p.SOARefreshSeconds,
			RetrySeconds: p.SOARetrySeconds, ExpireSeconds: p.SOAExpireSeconds, MinimumSeconds: p.SOAMinimumSeconds,
		},
	}
	for _, name := range p.PremiumNames {
		d.PremiumNames = append(d.PremiumNames, premiumDocument{
			Label: name.Label, Class: name.Class, CreatePrice: registry.FormatMinorUnits(name.CreatePriceMinor),
			RenewPrice: registry.FormatMinorUnits(name.RenewPriceMinor), RestorePrice: registry.FormatMinorUnits(name.RestorePriceMinor),
		})
	}
	for _, s := range p.ApexServers {
		server := apexServerDocument{Name: string(s.Name), Addresses: []string{}}
		for _, addr := range s.Addresses {
			server.Addresses = append(server.Addresses, addr.String())
		}
		d.ApexServers = append(d.ApexServers, server)
	}
	return d
}

func documentOfProto(name string, p *fsmpb.TLDPolicy) *tldDocument {
	converted := fsm.PolicyFromProto(p)
	return documentOf(registry.DomainName(name), &converted)
}

// toml writes the document so that it can be edited and applied again.
func (d *tldDocument) toml() (string, error) {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).SetIndentTables(false).Encode(d); err != nil {
		return "", fmt.Errorf("write the policy of %s: %w", d.Name, err)
	}
	return b.String(), nil
}

// diffLines lists the lines that differ, "-" for those only in old and "+" for those only
// in current, in order; comments and repeated lines are left alone.
func diffLines(old, current string) []string {
	a, b := strings.Split(strings.TrimRight(old, "\n"), "\n"), strings.Split(strings.TrimRight(current, "\n"), "\n")
	if old == "" {
		a = nil
	}
	// The longest common subsequence; policies have some dozens of lines.
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var out []string
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j >= len(b) || i < len(a) && length[i+1][j] >= length[i][j+1]:
			out, i = append(out, "- "+a[i]), i+1
		default:
			out, j = append(out, "+ "+b[j]), j+1
		}
	}
	return out
}
