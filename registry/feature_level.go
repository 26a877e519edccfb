package registry

import "fmt"

// A feature level is what all programs of a cluster are able to do: which commands and
// fields may be in the log and which rows in the state. It is replicated, is raised by an
// operator once every member runs a program that supports the next, and never goes down.
//
//	level 1  the commands and rows up to the first release of feature levels
//	level 2  feature levels themselves, changes of a member's role and addresses, removed
//	         nodes remembered, rotation of the authority, revocation of certificates; access of
//	         registrars, lifetime of authorisation information, data models; hosts released before a
//	         purge, zones republished, journals for incremental transfers
//	level 3  fewer rows for each command: kept results and names to publish in one row for each
//	         entry, object identifiers from the place in the log and without a row of their own,
//	         no index of the ledger for the revenue
//	level 4  what is added since: its verbs and fields are in the present command.proto only;
//	         first versions of objects and postings in one row for each entry
const (
	// MinFeatureLevel is the lowest level of a cluster that this program can take part in.
	MinFeatureLevel uint32 = 1
	// LevelRegistrarAccess is that from which on authorisation information has a lifetime, wrong
	// attempts are counted and suspended registrars may acknowledge messages.
	LevelRegistrarAccess uint32 = 2
	// LevelLifecycle is that from which on hosts are released before their domain is purged, zones
	// are republished after a change of policy, counts of old months are purged, and the journal of a
	// zone keeps what was published before.
	LevelLifecycle uint32 = 2
	// MaxFeatureLevel is the highest, and that of a new cluster.
	MaxFeatureLevel uint32 = 4
	// LevelRetention is that from which on decided applications and worthless allocation tokens
	// go after a while, and only certificates can be trusted as authorities.
	LevelRetention uint32 = 4
	// LevelPublicationLimits is that from which on a zone that would shrink too fast is held, and signing
	// cannot be ended while the parent may point to a key.
	LevelPublicationLimits uint32 = 4
	// LevelExactTerms is that from which on a deletion that gives money back takes away exactly
	// the time that was paid for.
	LevelExactTerms uint32 = 4
	// LevelLeanRows is the first with fewer rows for each command.
	LevelLeanRows uint32 = 3
	// LevelPackedRows is the first with one row for each entry for the first versions of the objects that
	// it makes and for its postings, and with the names of domains noted when they become free.
	LevelPackedRows uint32 = 4
	// LevelSegmentedLog is that from which on a node moves its log to segments, which older
	// programs do not read.
	LevelSegmentedLog uint32 = 4
)

// CheckFeatureLevel says whether this program can take part in a cluster of the level.
func CheckFeatureLevel(level uint32) error {
	switch {
	case level > MaxFeatureLevel:
		return fmt.Errorf("the cluster is at feature level %d, this program supports %d to %d: install a newer one", level, MinFeatureLevel, MaxFeatureLevel)
	case level < MinFeatureLevel:
		return fmt.Errorf("the cluster is at feature level %d, this program supports %d to %d: raise the level with the older program first (cadastre cluster raise-level)", level, MinFeatureLevel, MaxFeatureLevel)
	default:
		return nil
	}
}
