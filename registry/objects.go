package registry

import (
	"net/netip"
	"slices"
	"time"
)

// ObjectKind says what a ROID stands for. The numbers are stored and append-only.
type ObjectKind uint8

// The kinds of objects.
const (
	KindDomain      ObjectKind = 1
	KindHost        ObjectKind = 2
	KindContact     ObjectKind = 3
	KindRegistrar   ObjectKind = 4
	KindTLD         ObjectKind = 5
	KindOrg         ObjectKind = 120
	KindMaintenance ObjectKind = 100
	KindApplication ObjectKind = 110 // for a name in the launch of a TLD
)

// String returns the kind's name.
func (k ObjectKind) String() string {
	switch k {
	case KindDomain:
		return "domain"
	case KindHost:
		return "host"
	case KindContact:
		return "contact"
	case KindRegistrar:
		return "registrar"
	case KindTLD:
		return "tld"
	case KindOrg:
		return "org"
	case KindMaintenance:
		return "maintenance"
	case KindApplication:
		return "application"
	default:
		return "object"
	}
}

// Provenance is what every EPP object knows of its own past. Times are UTC with
// millisecond precision; a zero time means never.
type Provenance struct {
	ROID      ROID
	Sponsor   RegistrarID
	Creator   RegistrarID
	CreatedAt time.Time
	Updater   RegistrarID
	UpdatedAt time.Time
	// TransferredAt is when the sponsor last changed.
	TransferredAt time.Time
}

// AuthInfo is authorisation information kept as a salted SHA-256 only; a zero value means
// that none is set and nobody can present it.
type AuthInfo struct {
	Salt []byte
	Hash []byte
	// ExpiresAt is from when on it counts as unset; zero: never.
	ExpiresAt time.Time
}

// IsSet says whether there is anything to compare with at the given time.
func (a AuthInfo) IsSet(now time.Time) bool {
	return len(a.Hash) > 0 && (a.ExpiresAt.IsZero() || now.Before(a.ExpiresAt))
}

// ContactRole is the role of a contact for a domain (RFC 5731 section 2.2).
type ContactRole string

// The roles other than registrant.
const (
	RoleAdmin   ContactRole = "admin"
	RoleTech    ContactRole = "tech"
	RoleBilling ContactRole = "billing"
)

// DomainContact links a domain to a contact in a role.
type DomainContact struct {
	Role ContactRole
	ID   ContactID
}

// GraceKind is a grace period of RFC 3915 section 3.1. The numbers are stored.
type GraceKind uint8

// The grace periods.
const (
	GraceAdd       GraceKind = 1
	GraceRenew     GraceKind = 2
	GraceAutoRenew GraceKind = 3
	GraceTransfer  GraceKind = 4
)

// Grace is a running grace period: deleting the domain before EndsAt undoes the charge.
type Grace struct {
	Kind   GraceKind
	EndsAt time.Time
	// ChargeRow is the ledger row that a refund would undo, 0 if nothing was charged.
	ChargeRow uint64
	// RevertsTo is when the registration ended before, where the years of the charge do not say
	// it: of a transfer that the longest term cut short, or from 29 February on. Zero otherwise.
	RevertsTo time.Time
}

// DeletionPhase says where a deleted domain stands (RFC 3915 section 3.1). Stored.
type DeletionPhase uint8

// The phases.
const (
	PhaseNone           DeletionPhase = 0
	PhaseRedemption     DeletionPhase = 1
	PhasePendingRestore DeletionPhase = 2
	PhasePendingDelete  DeletionPhase = 3
)

// Domain is a registered name.
type Domain struct {
	Provenance
	Name        DomainName
	TLD         DomainName
	ExpiresAt   time.Time
	Registrant  ContactID
	Contacts    []DomainContact
	NameServers []DomainName // host objects, in the order in which they were given
	// HostAttributes are the name servers of a domain whose TLD has no host objects.
	HostAttributes []HostAttribute
	// ExpiryGraceEndsAt is, for an expired domain that can still be renewed, until when.
	ExpiryGraceEndsAt time.Time
	Statuses          Statuses // explicit ones only
	AuthInfo          AuthInfo
	Graces            []Grace
	Phase             DeletionPhase
	PhaseEndsAt       time.Time
	// RestoreRequestedAt and RedemptionEndsAt are, while a restore is pending, when it was
	// requested and when the redemption period would have ended.
	RestoreRequestedAt time.Time
	RedemptionEndsAt   time.Time
	// DS or Keys secure the delegation, by the interface that the TLD offers (RFC 5910
	// section 4); both empty: it is insecure.
	DS   []DelegationSigner
	Keys []PublicKey
	// MaxSigLifeSeconds is how long a signature over the DS records should last by the
	// registrar's wish, 0 if it has none (RFC 5910 section 3.3).
	MaxSigLifeSeconds uint32
	Transfer          *Transfer // the latest one, nil if there never was one
	TTLs              TTLs      // of NS and DS records
	// PriceClass is that of the premium name that was registered, "" for the usual prices.
	PriceClass string
	Orgs       []OrgLink // sorted by role, one for each role at most
	IDN        IDN
	// LaunchPhase is the phase in which the name was registered, if the registrar named one;
	// ClaimsNotices are what was accepted for it.
	LaunchPhase   Phase
	ClaimsNotices []ClaimsNotice
}

// IsDelegated says whether the domain belongs in the zone: it has name servers, no hold
// and is not on its way out, or has been called back from there.
func (d *Domain) IsDelegated() bool {
	leaving := d.Statuses.Has(StatusPendingDelete)
	switch d.Phase {
	case PhaseNone:
	case PhasePendingRestore:
		leaving = false
	default:
		leaving = true
	}
	return d.HasNameServers() && !leaving && !d.Statuses.Has(StatusClientHold, StatusServerHold, StatusPendingCreate)
}

// HasNameServers says whether the domain has name servers of either kind.
func (d *Domain) HasNameServers() bool { return len(d.NameServers)+len(d.HostAttributes) > 0 }

// NameServerNames returns the names of the domain's name servers of either kind, which must
// not be changed.
func (d *Domain) NameServerNames() []DomainName {
	if len(d.HostAttributes) == 0 {
		return d.NameServers
	}
	names := slices.Clone(d.NameServers)
	for i := range d.HostAttributes {
		names = append(names, d.HostAttributes[i].Name)
	}
	return names
}

// HostAttribute is a name server that is an attribute of a domain (RFC 5731 section 1.1).
type HostAttribute struct {
	Name      DomainName
	Addresses []netip.Addr // glue, sorted; only of names in or below the domain
}

// Host is a name server.
type Host struct {
	Provenance
	Name      DomainName
	Addresses []netip.Addr // sorted; only in-zone hosts have any
	Statuses  Statuses
	// Superordinate is the registered domain that the host lies in or below, "" for a host
	// outside every TLD served here (RFC 5732 section 1.1).
	Superordinate DomainName
	TTLs          TTLs      // of A and AAAA records
	Orgs          []OrgLink // as those of a domain
	// FormerName is, of a host under a sacrificial domain, the name that it had while its
	// superordinate domain was registered. The registry locks such a host; WasLocked says
	// that it was locked before.
	FormerName DomainName
	WasLocked  bool
}

// PostalInfo is one form of a contact's postal address (RFC 5733 section 2.4).
type PostalInfo struct {
	Type          string // "int" (7-bit ASCII) or "loc"
	Name          string
	Organization  string
	Street        []string // up to three lines
	City          string
	StateProvince string
	PostalCode    string
	CountryCode   string // ISO 3166-1 alpha-2
}

// Phone is an E.164 number with its optional extension (RFC 5733 section 2.5).
type Phone struct {
	Number    string
	Extension string
}

// Disclose names fields that go against the registry's default disclosure policy
// (RFC 5733 section 2.9). Fields are such as "name.int", "org.loc", "voice", "email".
type Disclose struct {
	Flag   bool
	Fields []string
}

// AdditionalEmail is a second e-mail address of a contact, which may be internationalised
// (RFC 9873); the zero value is none.
type AdditionalEmail struct {
	Address string
	Primary bool // it goes before Email
}

// Contact is a person or organisation.
type Contact struct {
	Provenance
	ID       ContactID
	Postal   []PostalInfo // one or two, of different types
	Voice    Phone
	Fax      Phone
	Email    string
	Statuses Statuses
	AuthInfo AuthInfo
	Disclose *Disclose
	// AdditionalEmail is a second e-mail address.
	AdditionalEmail AdditionalEmail
	Transfer        *Transfer // the latest one, nil if there never was one
	Orgs            []OrgLink // as those of a domain
}

// RegistrarState says what a registrar may do. Stored.
type RegistrarState uint8

// The states.
const (
	RegistrarActive RegistrarState = 1
	// RegistrarSuspended may log in, read, and poll and acknowledge messages, so that it goes
	// on knowing how its objects stand, and may not change anything.
	RegistrarSuspended RegistrarState = 2
	// RegistrarDisabled may not even log in; its objects stay.
	RegistrarDisabled RegistrarState = 3
)

// String returns the state as the command line shows it.
func (s RegistrarState) String() string {
	switch s {
	case RegistrarSuspended:
		return "suspended"
	case RegistrarDisabled:
		return "disabled"
	default:
		return "active"
	}
}

// Registrar is a customer of the registry. Its money lives in the ledger.
type Registrar struct {
	ID    RegistrarID
	ROID  ROID
	Name  string
	Email string
	URL   string
	// IANAID is the number in IANA's registrar list, 0 if there is none.
	IANAID uint32
	State  RegistrarState
	// PasswordHash is an argon2id hash in PHC string format.
	PasswordHash string
	// CertificateSHA256 holds the fingerprints of the client certificates it may use.
	CertificateSHA256 [][]byte
	// Sources are the networks from which it may log in; empty means from anywhere.
	Sources []netip.Prefix
	// QueryRate and TransformRate bound its commands a second on one node; 0 stands for what
	// the node allows every registrar.
	QueryRate     uint32
	TransformRate uint32
	// TLDs lists where it may register; empty means nowhere.
	TLDs []DomainName
	// ThinTLDs lists where its registrations are thin, of the TLDs that leave it to the
	// registrar.
	ThinTLDs    []DomainName
	Currency    string
	CreditLimit int64 // minor units it may go below zero
	// LowBalanceMinor is the balance below which the registrar is told so, 0 for never.
	LowBalanceMinor int64
	// Public is what RDAP and WHOIS show of it.
	Public    RegistrarPublic
	CreatedAt time.Time
	UpdatedAt time.Time
}

// TLD is a top-level domain and the policy by which it is run.
type TLD struct {
	Name      DomainName
	ROID      ROID
	Policy    TLDPolicy
	CreatedAt time.Time
	UpdatedAt time.Time
	// HasPremiumList and HasReservedList say that the TLD has, or once had, such a list of its
	// own beside the names in Policy, so that nobody looks for one in vain.
	HasPremiumList  bool
	HasReservedList bool
}

// ApexServer is a name server of the TLD itself, with the addresses that the zone
// publishes for it when it lies inside the zone.
type ApexServer struct {
	Name      DomainName
	Addresses []netip.Addr
}

// TLDPolicy is what an operator sets for a TLD. Periods are in days unless the name says
// otherwise; prices are minor units of Currency.
type TLDPolicy struct {
	ROIDSuffix         string
	Currency           string
	CreatePriceMinor   int64 // a year
	RenewPriceMinor    int64 // a year
	TransferPriceMinor int64
	RestorePriceMinor  int64
	// PremiumNames have prices of their own.
	PremiumNames []PremiumName
	// RestoreReportDays is how long a registrar has for the report of a restore; 0 stands
	// for policy.DefaultRestoreReportDays.
	RestoreReportDays uint32

	MinPeriodYears uint32
	MaxPeriodYears uint32
	AutoRenew      bool

	AddGraceDays       uint32
	RenewGraceDays     uint32
	AutoRenewGraceDays uint32
	TransferGraceDays  uint32
	RedemptionDays     uint32
	PendingDeleteDays  uint32
	// TransferPendingDays is how long the losing registrar has to answer a request for
	// transfer; 0 stands for policy.DefaultTransferPendingDays.
	TransferPendingDays uint32

	MinNameServers     uint32 // to be delegated
	MaxNameServers     uint32
	MaxContacts        uint32 // admin, tech and billing together
	RegistrantRequired bool
	// AllowPrivateAddresses admits private and documentation ranges as glue.
	AllowPrivateAddresses bool
	ReservedLabels        []string
	// KeyDataInterface makes registrars give keys rather than DS records (RFC 5910 section 4).
	KeyDataInterface bool
	// MaxDelegationSigners bounds the DS records or keys of a domain; 0 stands for
	// policy.DefaultMaxDelegationSigners.
	MaxDelegationSigners uint32
	// AllowWeakAuthInfo admits authorisation information that can be guessed, against
	// RFC 9154 section 4.1.
	AllowWeakAuthInfo bool
	// AuthInfoDays is how long authorisation information can be used after it was set; 0
	// stands for policy.DefaultAuthInfoDays.
	AuthInfoDays uint32
	// DataModel says whether domains have contacts.
	DataModel DataModel

	ApexServers          []ApexServer
	SOAMName             DomainName
	SOARName             DomainName
	SOARefreshSeconds    uint32
	SOARetrySeconds      uint32
	SOAExpireSeconds     uint32
	SOAMinimumSeconds    uint32
	ApexTTLSeconds       uint32
	DelegationTTLSeconds uint32
	// TTLBounds says which TTLs registrars may set; what is not named has the bounds of
	// policy.TTLBounds.
	TTLBounds []TTLBounds

	// HostAttributes makes name servers attributes of domains rather than objects (RFC 5731
	// section 1.1). It is chosen when the TLD is made.
	HostAttributes bool
	// PurgeTimeSeconds is when on a day (UTC) deleted names are purged, 1 to 86400 seconds
	// after midnight; 0 for any time.
	PurgeTimeSeconds uint32
	// SacrificialDomain is the name, below the TLD and never registrable, under which hosts
	// live on that others use when their superordinate domain is purged; "": they are deleted.
	SacrificialDomain DomainName
	// ExpiryGraceDays is how long an expired domain can still be renewed where AutoRenew is not set.
	ExpiryGraceDays uint32
	// Signing says how the zone is signed.
	Signing SigningPolicy
	// IDNTables are the tags of the IDN tables on offer, in the order in which they are tried;
	// without any, and without IDNCustomTables, no internationalised names are registered.
	IDNTables []string
	// IDNCustomTables are the texts of tables that do not come with the program.
	IDNCustomTables []string
	// IDNVariantsForRegistrar lets the registrar of a name register its variants, which nobody
	// may otherwise.
	IDNVariantsForRegistrar bool
	// IDNTableRequired makes registrars say which table they mean.
	IDNTableRequired bool
	// IDNOnly admits no ASCII names.
	IDNOnly bool
	// LaunchPhases are the phases of the launch; without any the TLD is open.
	LaunchPhases []LaunchPhase
	// KeepApplicationDays and KeepTokenDays are how long decided applications, and allocation
	// tokens that can no longer be used, are kept; 0 stands for policy.DefaultKeepDays.
	KeepApplicationDays uint32
	KeepTokenDays       uint32
	// MaxRemovedDelegations and MaxRemovedPercent bound how many delegations leave the zone within an hour: the larger
	// of the two counts. 0 stands for policy.DefaultMaxRemovedDelegations and policy.DefaultMaxRemovedPercent; 100
	// percent is no limit.
	MaxRemovedDelegations, MaxRemovedPercent uint32
	// RDDS says what RDAP and WHOIS show.
	RDDS RDDSPolicy
}

// PremiumName is a label below a TLD with prices of its own, in minor units of the TLD's
// currency. Those for creation and renewal are for a year.
type PremiumName struct {
	Label             string
	Class             string // the price class that registrars are shown (RFC 8748 section 3.7)
	CreatePriceMinor  int64
	RenewPriceMinor   int64
	RestorePriceMinor int64
}

// AddGraceMonth counts what one registrar did under one TLD in a calendar month (UTC).
type AddGraceMonth struct {
	Adds    uint64 // registrations
	Deletes uint64 // within the add grace period
	Refunds uint64 // of those deletions
}

// NodeRole says whether a node of the cluster votes. Stored.
type NodeRole uint8

// The roles.
const (
	RoleVoter   NodeRole = 1
	RoleReplica NodeRole = 2
)

// String returns the role as the command line and dev.json show it.
func (r NodeRole) String() string {
	if r == RoleVoter {
		return "voter"
	}
	return "replica"
}

// Node is a member of the cluster as the operator meant it to be. Who votes now is told
// by the Raft configuration alone.
type Node struct {
	ID          string
	Role        NodeRole
	RaftAddress string // host:port
	GRPCAddress string // host:port
	JoinedAt    time.Time
}

// ClockMode says where registry time comes from. Stored.
type ClockMode uint8

// The modes.
const (
	ClockSystem ClockMode = 1 // the leader's clock
	ClockManual ClockMode = 2 // stands still until an operator moves it
)

// NextDueAt returns when time next changes the domain: the end of its deletion phase, the
// approval of a pending transfer, its expiry or the end of the grace after that.
func (d *Domain) NextDueAt() time.Time {
	if d.Phase != PhaseNone {
		return d.PhaseEndsAt
	}
	end := d.ExpiresAt
	if !d.ExpiryGraceEndsAt.IsZero() {
		end = d.ExpiryGraceEndsAt
	}
	if d.Transfer.IsPending() && !d.Transfer.ActAt.After(end) {
		return d.Transfer.ActAt
	}
	return end
}
