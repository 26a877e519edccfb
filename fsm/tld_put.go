package fsm

import (
	"math"
	"net/netip"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// tldPut makes a TLD or replaces its policy.
func (r *run) tldPut(c *fsmpb.TLDPut) (*fsmpb.Result, error) {
	tld := &registry.TLD{Name: registry.DomainName(c.GetName()), CreatedAt: r.now, UpdatedAt: r.now}
	tld.Policy = PolicyFromProto(c.GetPolicy())
	if err := policy.CheckPolicy(tld.Name, &tld.Policy); err != nil {
		return nil, err
	}
	old, exists := r.tx.TLD(tld.Name)
	if exists {
		if err := r.checkIDNChange(old, tld); err != nil {
			return nil, err
		}
		if err := r.checkSigningChange(old, tld); err != nil {
			return nil, err
		}
		tld.ROID, tld.CreatedAt = old.ROID, old.CreatedAt
		tld.HasPremiumList, tld.HasReservedList = old.HasPremiumList, old.HasReservedList
		if tld.Policy.HostAttributes != old.Policy.HostAttributes {
			return nil, refuse(registry.CodeParameterPolicy, "host_attributes", c.GetName(), "whether name servers are objects or attributes is chosen when a TLD is made (RFC 5731 section 1.1)")
		}
	} else {
		for _, other := range r.tx.TLDs() {
			if tld.Name.IsBelow(other.Name) || other.Name.IsBelow(tld.Name) {
				return nil, refuse(registry.CodeObjectExists, "name", c.GetName(), "it overlaps with .%s, which is served here", other.Name)
			}
		}
		roid, err := r.newROID(c.GetRoid(), tld.Policy.ROIDSuffix)
		if err != nil {
			return nil, err
		}
		tld.ROID = roid
	}
	if err := r.checkSacrificialDomain(old, tld); err != nil {
		return nil, err
	}
	r.tx.PutTLD(tld)
	r.markApexDirty(tld)
	if exists {
		if old.Policy.Signing.Denial == registry.DenialNone && tld.Policy.Signing.Denial != registry.DenialNone {
			r.resumeSigning(tld)
		}
		r.markApexDirty(old)
		if policy.ChangesTTLs(old, tld) && r.tx.FeatureLevel() >= registry.LevelLifecycle {
			r.tx.PutTask(store.TaskRepublish, string(tld.Name), "")
		}
	}
	result := ok()
	result.Roid, result.CreatedAtMs = string(tld.ROID), tld.CreatedAt.UnixMilli()
	return result, nil
}

// checkSacrificialDomain says whether the sacrificial domain of a TLD can become another one:
// nobody may have registered the new one, and no host may live on under the old one, which
// can be registered from then on.
func (r *run) checkSacrificialDomain(old, next *registry.TLD) error {
	name := next.Policy.SacrificialDomain
	if old != nil && old.Policy.SacrificialDomain == name {
		return nil
	}
	if old != nil && old.Policy.SacrificialDomain != "" && len(r.tx.SubordinateHosts(old.Policy.SacrificialDomain, 1)) > 0 {
		return refuse(registry.CodeAssociationForbids, "sacrificial_domain", string(old.Policy.SacrificialDomain), "hosts live on under the present sacrificial domain")
	}
	if name != "" && r.tx.HasDomain(name) {
		return refuse(registry.CodeObjectExists, "sacrificial_domain", string(name), "the sacrificial domain is registered")
	}
	return nil
}

// markApexDirty asks for the apex and the name servers inside the zone to be published.
func (r *run) markApexDirty(tld *registry.TLD) {
	r.markDirty(tld.Name, tld.Name)
	for _, server := range tld.Policy.ApexServers {
		if server.Name.IsBelow(tld.Name) {
			r.markDirty(tld.Name, server.Name)
		}
	}
}

func (r *run) markDirty(tld, owner registry.DomainName) {
	r.tx.MarkDirty(tld, owner)
	r.effects.Dirty = true
}

// PolicyFromProto converts a policy from its form in the log.
func PolicyFromProto(p *fsmpb.TLDPolicy) registry.TLDPolicy {
	out := registry.TLDPolicy{
		ROIDSuffix: p.GetRoidSuffix(), Currency: p.GetCurrency(),
		CreatePriceMinor: p.GetCreatePriceMinor(), RenewPriceMinor: p.GetRenewPriceMinor(),
		TransferPriceMinor: p.GetTransferPriceMinor(), RestorePriceMinor: p.GetRestorePriceMinor(),
		MinPeriodYears: p.GetMinPeriodYears(), MaxPeriodYears: p.GetMaxPeriodYears(), AutoRenew: p.GetAutoRenew(),
		AddGraceDays: p.GetAddGraceDays(), RenewGraceDays: p.GetRenewGraceDays(), AutoRenewGraceDays: p.GetAutoRenewGraceDays(),
		TransferGraceDays: p.GetTransferGraceDays(), RedemptionDays: p.GetRedemptionDays(), PendingDeleteDays: p.GetPendingDeleteDays(),
		MinNameServers: p.GetMinNameServers(), MaxNameServers: p.GetMaxNameServers(), MaxContacts: p.GetMaxContacts(),
		RegistrantRequired: p.GetRegistrantRequired(), AllowPrivateAddresses: p.GetAllowPrivateAddresses(),
		ReservedLabels: p.GetReservedLabels(),
		SOAMName:       registry.DomainName(p.GetSoaMname()), SOARName: registry.DomainName(p.GetSoaRname()),
		SOARefreshSeconds: p.GetSoaRefreshSeconds(), SOARetrySeconds: p.GetSoaRetrySeconds(),
		SOAExpireSeconds: p.GetSoaExpireSeconds(), SOAMinimumSeconds: p.GetSoaMinimumSeconds(),
		ApexTTLSeconds: p.GetApexTtlSeconds(), DelegationTTLSeconds: p.GetDelegationTtlSeconds(),
		TransferPendingDays: p.GetTransferPendingDays(),
		KeyDataInterface:    p.GetKeyDataInterface(), MaxDelegationSigners: p.GetMaxDelegationSigners(),
		RestoreReportDays: p.GetRestoreReportDays(), AllowWeakAuthInfo: p.GetAllowWeakAuthInfo(),
		TTLBounds: ttlBoundsFromProto(p.GetTtlBounds()), LaunchPhases: launchPhasesFromProto(p.GetLaunchPhases()), Signing: signingFromProto(p.GetSigning()), RDDS: rddsFromProto(p.GetRdds()),
		DataModel: registry.DataModel(min(p.GetDataModel(), math.MaxUint8)), AuthInfoDays: p.GetAuthInfoDays(),
		HostAttributes: p.GetHostAttributes(), PurgeTimeSeconds: p.GetPurgeTimeSeconds(),
		SacrificialDomain: registry.DomainName(p.GetSacrificialDomain()), ExpiryGraceDays: p.GetExpiryGraceDays(),
		IDNTables: p.GetIdnTables(), IDNCustomTables: p.GetIdnCustomTables(), IDNVariantsForRegistrar: p.GetIdnVariantsForRegistrar(),
		IDNTableRequired: p.GetIdnTableRequired(), IDNOnly: p.GetIdnOnly(),
		KeepApplicationDays: p.GetKeepApplicationDays(), KeepTokenDays: p.GetKeepTokenDays(),
		MaxRemovedDelegations: p.GetMaxRemovedDelegations(), MaxRemovedPercent: p.GetMaxRemovedPercent(),
	}
	for _, name := range p.GetPremiumNames() {
		out.PremiumNames = append(out.PremiumNames, registry.PremiumName{
			Label: name.GetLabel(), Class: name.GetClass(), CreatePriceMinor: name.GetCreatePriceMinor(),
			RenewPriceMinor: name.GetRenewPriceMinor(), RestorePriceMinor: name.GetRestorePriceMinor(),
		})
	}
	for _, server := range p.GetApexServers() {
		out.ApexServers = append(out.ApexServers, registry.ApexServer{
			Name: registry.DomainName(server.GetName()), Addresses: addressesFromProto(server.GetAddresses()),
		})
	}
	return out
}

// PolicyToProto converts a policy to its form in the log.
func PolicyToProto(p *registry.TLDPolicy) *fsmpb.TLDPolicy {
	out := &fsmpb.TLDPolicy{
		RoidSuffix: p.ROIDSuffix, Currency: p.Currency,
		CreatePriceMinor: p.CreatePriceMinor, RenewPriceMinor: p.RenewPriceMinor,
		TransferPriceMinor: p.TransferPriceMinor, RestorePriceMinor: p.RestorePriceMinor,
		MinPeriodYears: p.MinPeriodYears, MaxPeriodYears: p.MaxPeriodYears, AutoRenew: p.AutoRenew,
		AddGraceDays: p.AddGraceDays, RenewGraceDays: p.RenewGraceDays, AutoRenewGraceDays: p.AutoRenewGraceDays,
		TransferGraceDays: p.TransferGraceDays, RedemptionDays: p.RedemptionDays, PendingDeleteDays: p.PendingDeleteDays,
		MinNameServers: p.MinNameServers, MaxNameServers: p.MaxNameServers, MaxContacts: p.MaxContacts,
		RegistrantRequired: p.RegistrantRequired, AllowPrivateAddresses: p.AllowPrivateAddresses,
		ReservedLabels: p.ReservedLabels,
		SoaMname:       string(p.SOAMName), SoaRname: string(p.SOARName),
		SoaRefreshSeconds: p.SOARefreshSeconds, SoaRetrySeconds: p.SOARetrySeconds,
		SoaExpireSeconds: p.SOAExpireSeconds, SoaMinimumSeconds: p.SOAMinimumSeconds,
		ApexTtlSeconds: p.ApexTTLSeconds, DelegationTtlSeconds: p.DelegationTTLSeconds,
		KeyDataInterface: p.KeyDataInterface, MaxDelegationSigners: p.MaxDelegationSigners,
		RestoreReportDays: p.RestoreReportDays, AllowWeakAuthInfo: p.AllowWeakAuthInfo,
		TtlBounds: ttlBoundsToProto(p.TTLBounds), Signing: signingToProto(&p.Signing), Rdds: rddsToProto(&p.RDDS),
		DataModel: uint32(p.DataModel), AuthInfoDays: p.AuthInfoDays,
		LaunchPhases:        launchPhasesToProto(p.LaunchPhases),
		TransferPendingDays: p.TransferPendingDays,
		HostAttributes:      p.HostAttributes, PurgeTimeSeconds: p.PurgeTimeSeconds,
		SacrificialDomain: string(p.SacrificialDomain), ExpiryGraceDays: p.ExpiryGraceDays,
		IdnTables: p.IDNTables, IdnCustomTables: p.IDNCustomTables, IdnVariantsForRegistrar: p.IDNVariantsForRegistrar,
		IdnTableRequired: p.IDNTableRequired, IdnOnly: p.IDNOnly,
		KeepApplicationDays: p.KeepApplicationDays, KeepTokenDays: p.KeepTokenDays,
		MaxRemovedDelegations: p.MaxRemovedDelegations, MaxRemovedPercent: p.MaxRemovedPercent,
	}
	for _, name := range p.PremiumNames {
		out.PremiumNames = append(out.PremiumNames, &fsmpb.PremiumName{
			Label: name.Label, Class: name.Class, CreatePriceMinor: name.CreatePriceMinor,
			RenewPriceMinor: name.RenewPriceMinor, RestorePriceMinor: name.RestorePriceMinor,
		})
	}
	for _, server := range p.ApexServers {
		out.ApexServers = append(out.ApexServers, &fsmpb.ApexServer{
			Name: string(server.Name), Addresses: AddressesToProto(server.Addresses),
		})
	}
	return out
}

// AddressesToProto converts addresses to their form in the log.
func AddressesToProto(addresses []netip.Addr) [][]byte {
	var out [][]byte
	for _, addr := range addresses {
		out = append(out, addr.AsSlice())
	}
	return out
}

// addressesFromProto converts addresses whose lengths Validate has checked.
func addressesFromProto(addresses [][]byte) []netip.Addr {
	var out []netip.Addr
	for _, b := range addresses {
		if addr, ok := netip.AddrFromSlice(b); ok {
			out = append(out, addr)
		}
	}
	return out
}
