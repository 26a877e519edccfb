package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

const (
	// maxGrants bounds the grants that are kept, those of the past among them.
	maxGrants = 10_000
	// maxGrantDays keeps a grant from outliving the reasons for which it was given.
	maxGrantDays = 366
	// maxPurposeOctets is a paragraph.
	maxPurposeOctets = 1024
	// maxGrantTLDs is far above what one cluster serves.
	maxGrantTLDs = 1000
)

// disclosureGrant lets a requester see personal data.
func (r *run) disclosureGrant(c *fsmpb.DisclosureGrant) (*fsmpb.Result, error) {
	if _, found := r.tx.DisclosureGrant(c.GetId()); found {
		return nil, refuse(registry.CodeObjectExists, "id", c.GetId(), "there is a grant of this id")
	}
	if other, found := r.tx.DisclosureGrantOf(c.GetCertificateSha256()); found && other.InForce(r.now) {
		return nil, refuse(registry.CodeObjectExists, "certificate", "", "the certificate has the grant %s already; revoke that first", other.ID)
	}
	if r.tx.CountDisclosureGrants() >= maxGrants {
		return nil, refuse(registry.CodeParameterPolicy, "id", c.GetId(), "%d grants are kept, which is the most", maxGrants)
	}
	expires := time.UnixMilli(c.GetExpiresAtMs()).UTC()
	if !expires.After(r.now) || expires.After(r.now.AddDate(0, 0, maxGrantDays)) {
		return nil, refuse(registry.CodeParameterRange, "expires", expires.Format(time.RFC3339), "a grant ends after %s and within %d days", r.now.Format(time.RFC3339), maxGrantDays)
	}
	tlds, err := r.requireTLDs(c.GetTlds())
	if err != nil {
		return nil, err
	}
	r.tx.PutDisclosureGrant(&registry.DisclosureGrant{
		ID: c.GetId(), Requester: c.GetRequester(), CertificateSHA256: c.GetCertificateSha256(), Purpose: c.GetPurpose(),
		TLDs: changeTLDs(nil, tlds, nil), CreatedAt: r.now, CreatedBy: r.actor.GetId(), ExpiresAt: expires,
	})
	return ok(), nil
}

// disclosures checks the commands about disclosure and says whether it was one.
func (k *checker) disclosures(command *fsmpb.Command) bool {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_DisclosureGrant:
		c := body.DisclosureGrant
		k.grantID(c.GetId())
		k.sha256("certificate", c.GetCertificateSha256())
		k.require(c.GetRequester() != "" && len(c.GetRequester()) <= maxTextChars, "requester", "", "a requester has a name of at most %d octets", maxTextChars)
		k.require(c.GetPurpose() != "" && len(c.GetPurpose()) <= maxPurposeOctets, "purpose", "", "a grant says for what purpose, in at most %d octets", maxPurposeOctets)
		k.instant("expires", c.GetExpiresAtMs())
		k.count("tld", len(c.GetTlds()), maxGrantTLDs)
		for _, tld := range c.GetTlds() {
			k.name("tld", tld)
		}
	case *fsmpb.Command_DisclosureRevoke:
		k.grantID(body.DisclosureRevoke.GetId())
	case *fsmpb.Command_DisclosureRecord:
		c := body.DisclosureRecord
		k.grantID(c.GetGrantId())
		k.require(len(c.GetKey()) <= maxTextChars && len(c.GetNode()) <= maxTextChars && len(c.GetAddress()) <= maxTextChars, "key", "", "the parts of a record have at most %d octets", maxTextChars)
	default:
		return false
	}
	return true
}

func (k *checker) grantID(id string) {
	k.require(len(id) >= 1 && len(id) <= 32, "id", id, "the id of a grant has 1 to 32 characters")
	for _, c := range []byte(id) {
		k.require(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-', "id", id, "the id of a grant has letters, digits and hyphens")
	}
}

// applyDisclosure does the commands about disclosure and says whether it was one.
func (r *run) applyDisclosure(command *fsmpb.Command) (known bool, result *fsmpb.Result, err error) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_DisclosureGrant:
		result, err = r.disclosureGrant(body.DisclosureGrant)
	case *fsmpb.Command_DisclosureRevoke:
		result, err = r.disclosureRevoke(body.DisclosureRevoke)
	case *fsmpb.Command_DisclosureRecord:
		result, err = r.disclosureRecord(body.DisclosureRecord)
	default:
		return false, nil, nil
	}
	return true, result, err
}
