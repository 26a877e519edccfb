package store

import "cadastre/registry"

// TLD returns the TLD of the name.
func (tx *ReadTx) TLD(name registry.DomainName) (*registry.TLD, bool) {
	k := tableTLD.key().tail(string(name))
	value, ok := tx.get(k)
	if !ok {
		return nil, false
	}
	return decoded(tx, k, value, decodeTLD), true
}

// TLDs returns all TLDs, by name.
func (tx *ReadTx) TLDs() []*registry.TLD {
	var all []*registry.TLD
	tx.scan(tableTLD.key(), nil, func(_, value []byte) bool {
		all = append(all, decodeTLD(value))
		return true
	})
	return all
}

// TLDOf returns the TLD, served here, that the name lies below.
func (tx *ReadTx) TLDOf(name registry.DomainName) (*registry.TLD, bool) {
	for parent := name.Parent(); parent != ""; parent = parent.Parent() {
		if tld, ok := tx.TLD(parent); ok {
			return tld, true
		}
	}
	return nil, false
}

// PutTLD writes the TLD with its history.
func (tx *Tx) PutTLD(t *registry.TLD) {
	row := encodeTLD(t)
	tx.set(tableTLD.key().tail(string(t.Name)), row)
	tx.putROID(t.ROID, registry.KindTLD, string(t.Name))
	tx.addHistory(registry.KindTLD, t.ROID, string(t.Name), row)
}

func encodeTLD(t *registry.TLD) []byte {
	var e encoder
	e.str(1, string(t.Name))
	e.str(2, string(t.ROID))
	e.time(3, t.CreatedAt)
	e.time(4, t.UpdatedAt)
	e.msg(5, func(e *encoder) {
		e.policyMoneyAndPeriods(&t.Policy)
		e.policyNamesAndZone(&t.Policy)
		e.signing(&t.Policy.Signing)
		e.rdds(&t.Policy.RDDS)
	})
	e.bool(130, t.HasPremiumList)
	e.bool(131, t.HasReservedList)
	return e.b
}

func (e *encoder) policyMoneyAndPeriods(p *registry.TLDPolicy) {
	e.str(1, p.ROIDSuffix)
	e.str(2, p.Currency)
	e.int(3, p.CreatePriceMinor)
	e.int(4, p.RenewPriceMinor)
	e.int(5, p.TransferPriceMinor)
	e.int(6, p.RestorePriceMinor)
	e.uint(7, uint64(p.MinPeriodYears))
	e.uint(8, uint64(p.MaxPeriodYears))
	e.bool(9, p.AutoRenew)
	e.uint(10, uint64(p.AddGraceDays))
	e.uint(11, uint64(p.RenewGraceDays))
	e.uint(12, uint64(p.AutoRenewGraceDays))
	e.uint(13, uint64(p.TransferGraceDays))
	e.uint(14, uint64(p.RedemptionDays))
	e.uint(15, uint64(p.PendingDeleteDays))
}

func (e *encoder) policyNamesAndZone(p *registry.TLDPolicy) {
	e.uint(16, uint64(p.MinNameServers))
	e.uint(17, uint64(p.MaxNameServers))
	e.uint(18, uint64(p.MaxContacts))
	e.bool(19, p.RegistrantRequired)
	e.bool(20, p.AllowPrivateAddresses)
	for _, label := range p.ReservedLabels {
		e.elem(21, []byte(label))
	}
	for _, server := range p.ApexServers {
		e.msg(22, func(e *encoder) {
			e.str(1, string(server.Name))
			for _, addr := range server.Addresses {
				e.elem(2, addr.AsSlice())
			}
		})
	}
	e.str(23, string(p.SOAMName))
	e.str(24, string(p.SOARName))
	e.uint(25, uint64(p.SOARefreshSeconds))
	e.uint(26, uint64(p.SOARetrySeconds))
	e.uint(27, uint64(p.SOAExpireSeconds))
	e.uint(28, uint64(p.SOAMinimumSeconds))
	e.uint(29, uint64(p.ApexTTLSeconds))
	e.uint(30, uint64(p.DelegationTTLSeconds))
	e.uint(31, uint64(p.TransferPendingDays))
	e.bool(50, p.KeyDataInterface)
	e.uint(51, uint64(p.MaxDelegationSigners))
	e.uint(52, uint64(p.RestoreReportDays))
	e.bool(53, p.AllowWeakAuthInfo)
	e.ttlBounds(p.TTLBounds)
	e.uint(140, uint64(p.DataModel))
	e.uint(141, uint64(p.AuthInfoDays))
	e.policyIDN(p)
	e.policyPublication(p)
	for i := range p.PremiumNames {
		e.premiumName(60, &p.PremiumNames[i])
	}
	e.bool(130, p.HostAttributes)
	e.uint(131, uint64(p.PurgeTimeSeconds))
	e.str(132, string(p.SacrificialDomain))
	e.uint(133, uint64(p.ExpiryGraceDays))
	e.launchPhases(p.LaunchPhases)
	e.uint(fieldPolicyKeepApplications, uint64(p.KeepApplicationDays))
	e.uint(fieldPolicyKeepTokens, uint64(p.KeepTokenDays))
}

func decodeTLD(value []byte) *registry.TLD {
	t := &registry.TLD{}
	decodeRow("tld", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				t.Name = registry.DomainName(d.str())
			case 2:
				t.ROID = registry.ROID(d.str())
			case 3:
				t.CreatedAt = d.time()
			case 4:
				t.UpdatedAt = d.time()
			case 130:
				t.HasPremiumList = d.bool()
			case 131:
				t.HasReservedList = d.bool()
			case 5:
				d.nested(func(d *decoder) {
					for d.next() {
						switch {
						case d.num <= 15:
							d.policyMoneyAndPeriods(&t.Policy)
						case d.num < 50:
							d.policyNamesAndZone(&t.Policy)
						default:
							d.policyExtensions(&t.Policy)
						}
					}
				})
			default:
				d.unknown()
			}
		}
	})
	return t
}

func (d *decoder) policyMoneyAndPeriods(p *registry.TLDPolicy) {
	switch d.num {
	case 1:
		p.ROIDSuffix = d.str()
	case 2:
		p.Currency = d.str()
	case 3:
		p.CreatePriceMinor = d.int()
	case 4:
		p.RenewPriceMinor = d.int()
	case 5:
		p.TransferPriceMinor = d.int()
	case 6:
		p.RestorePriceMinor = d.int()
	case 7:
		p.MinPeriodYears = uint32(d.val)
	case 8:
		p.MaxPeriodYears = uint32(d.val)
	case 9:
		p.AutoRenew = d.bool()
	case 10:
		p.AddGraceDays = uint32(d.val)
	case 11:
		p.RenewGraceDays = uint32(d.val)
	case 12:
		p.AutoRenewGraceDays = uint32(d.val)
	case 13:
		p.TransferGraceDays = uint32(d.val)
	case 14:
		p.RedemptionDays = uint32(d.val)
	case 15:
		p.PendingDeleteDays = uint32(d.val)
	}
}

func (d *decoder) policyNamesAndZone(p *registry.TLDPolicy) {
	switch d.num {
	case 16:
		p.MinNameServers = uint32(d.val)
	case 17:
		p.MaxNameServers = uint32(d.val)
	case 18:
		p.MaxContacts = uint32(d.val)
	case 19:
		p.RegistrantRequired = d.bool()
	case 20:
		p.AllowPrivateAddresses = d.bool()
	case 21:
		p.ReservedLabels = append(p.ReservedLabels, d.str())
	case 22:
		p.ApexServers = append(p.ApexServers, d.apexServer())
	case 23:
		p.SOAMName = registry.DomainName(d.str())
	case 24:
		p.SOARName = registry.DomainName(d.str())
	case 25:
		p.SOARefreshSeconds = uint32(d.val)
	case 26:
		p.SOARetrySeconds = uint32(d.val)
	case 27:
		p.SOAExpireSeconds = uint32(d.val)
	case 28:
		p.SOAMinimumSeconds = uint32(d.val)
	case 29:
		p.ApexTTLSeconds = uint32(d.val)
	case 30:
		p.DelegationTTLSeconds = uint32(d.val)
	case 31:
		p.TransferPendingDays = uint32(d.val)
	default:
		d.unknown()
	}
}

func (d *decoder) policyExtensions(p *registry.TLDPolicy) {
	switch d.num {
	case 50:
		p.KeyDataInterface = d.bool()
	case 51:
		p.MaxDelegationSigners = uint32(d.val)
	case 52:
		p.RestoreReportDays = uint32(d.val)
	case 53:
		p.AllowWeakAuthInfo = d.bool()
	case fieldPolicyTTLBounds:
		p.TTLBounds = append(p.TTLBounds, d.ttlBounds())
	case 60:
		p.PremiumNames = append(p.PremiumNames, d.premiumName())
	case 130:
		p.HostAttributes = d.bool()
	case 131:
		p.PurgeTimeSeconds = uint32(d.val)
	case 132:
		p.SacrificialDomain = registry.DomainName(d.str())
	case 133:
		p.ExpiryGraceDays = uint32(d.val)
	case 140:
		p.DataModel = registry.DataModel(d.val)
	case 141:
		p.AuthInfoDays = uint32(d.val)
	case fieldPolicyRDDS:
		p.RDDS = d.rdds()
	case fieldPolicySigning:
		p.Signing = d.signing()
	case fieldPolicyKeepApplications:
		p.KeepApplicationDays = uint32(d.val)
	case fieldPolicyKeepTokens:
		p.KeepTokenDays = uint32(d.val)
	case fieldPolicyMaxRemoved:
		p.MaxRemovedDelegations = uint32(d.val)
	case fieldPolicyMaxRemovedPercent:
		p.MaxRemovedPercent = uint32(d.val)
	case fieldPolicyLaunchPhase:
		p.LaunchPhases = append(p.LaunchPhases, d.launchPhase())
	default:
		d.policyIDN(p)
	}
}

func (d *decoder) apexServer() registry.ApexServer {
	var s registry.ApexServer
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				s.Name = registry.DomainName(d.str())
			case 2:
				s.Addresses = append(s.Addresses, d.addr())
			default:
				d.unknown()
			}
		}
	})
	return s
}

// fieldPolicySigning is how the zone is signed.
const fieldPolicySigning = 200

func (e *encoder) signing(s *registry.SigningPolicy) {
	if *s == (registry.SigningPolicy{}) {
		return
	}
	e.msg(fieldPolicySigning, func(e *encoder) {
		e.uint(1, uint64(s.Denial))
		e.bool(2, s.OptOut)
		e.uint(3, uint64(s.ValidityDays))
		e.uint(4, uint64(s.RefreshDays))
		e.uint(20, uint64(s.Algorithm))
		e.uint(21, uint64(s.Layout))
		e.uint(22, uint64(s.DNSKEYTTLSeconds))
		e.uint(23, uint64(s.ZSKLifetimeDays))
		e.uint(24, uint64(s.PropagationSeconds))
		e.uint(25, uint64(s.DSTTLSeconds))
		e.str(26, s.ParentServer)
	})
}

func (d *decoder) signing() registry.SigningPolicy {
	var s registry.SigningPolicy
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				s.Denial = registry.Denial(d.val)
			case 2:
				s.OptOut = d.bool()
			case 3:
				s.ValidityDays = uint32(d.val)
			case 4:
				s.RefreshDays = uint32(d.val)
			case 20:
				s.Algorithm = uint8(d.val)
			case 21:
				s.Layout = registry.KeyLayout(d.val)
			case 22:
				s.DNSKEYTTLSeconds = uint32(d.val)
			case 23:
				s.ZSKLifetimeDays = uint32(d.val)
			case 24:
				s.PropagationSeconds = uint32(d.val)
			case 25:
				s.DSTTLSeconds = uint32(d.val)
			case 26:
				s.ParentServer = d.str()
			default:
				d.unknown()
			}
		}
	})
	return s
}
