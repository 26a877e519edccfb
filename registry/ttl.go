package registry

import "slices"

// RecordType is the mnemonic of a DNS record type of which a registrar may set the TTL
// (RFC 9803). Stored.
type RecordType string

// The types that the registry publishes for objects of registrars.
const (
	RecordNS   RecordType = "NS"
	RecordDS   RecordType = "DS"
	RecordA    RecordType = "A"
	RecordAAAA RecordType = "AAAA"
)

// RecordTypes lists what is published for objects of the kind.
func RecordTypes(kind ObjectKind) []RecordType {
	switch kind {
	case KindDomain:
		return []RecordType{RecordNS, RecordDS}
	case KindHost:
		return []RecordType{RecordA, RecordAAAA}
	default:
		return nil
	}
}

// TTL is how long resolvers may keep the records of a type.
type TTL struct {
	Type    RecordType
	Seconds uint32
}

// TTLs are those that a registrar set for an object, by type; what is not in them has the
// TLD's default.
type TTLs []TTL

// Seconds returns the TTL that is set for the type.
func (t TTLs) Seconds(of RecordType) (uint32, bool) {
	for _, ttl := range t {
		if ttl.Type == of {
			return ttl.Seconds, true
		}
	}
	return 0, false
}

// With returns the TTLs with that of the type set; t itself is not changed.
func (t TTLs) With(set TTL) TTLs {
	next := append(t.Without(set.Type), set)
	slices.SortFunc(next, func(a, b TTL) int {
		if a.Type < b.Type {
			return -1
		}
		return 1
	})
	return next
}

// Without returns the TTLs without that of the type; t itself is not changed.
func (t TTLs) Without(of RecordType) TTLs {
	return slices.DeleteFunc(slices.Clone(t), func(ttl TTL) bool { return ttl.Type == of })
}

// TTLBounds is what a TLD admits as TTL of a type, in seconds.
type TTLBounds struct {
	Type RecordType
	Min  uint32
	Max  uint32 // 0: registrars cannot set it
	// Default holds where no TTL is set; 0 stands for the policy's DelegationTTLSeconds.
	Default uint32
}
