package fsm

import (
	"strings"

	"cadastre/fsm/fsmpb"
)

// Bounds of what extensions bring, far above what is ever sent.
const (
	maxSignersPerList     = 32
	maxDigestOctets       = 64
	maxPublicKeyOctets    = 4096     // an RSA key of 4096 bits has 515
	maxReportTextOctets   = 32 << 10 // of registration data before and after a restore
	maxReportReasonOctets = 8 << 10
	maxReportStatements   = 2
	maxPasswordHashOctets = 512
)

func (k *checker) delegationSigners(lists ...[]*fsmpb.DelegationSigner) {
	count := 0
	for _, list := range lists {
		count += len(list)
		for _, ds := range list {
			k.require(ds.GetKeyTag() <= 1<<16-1, "keyTag", "", "a key tag has 16 bits")
			k.require(ds.GetAlgorithm() <= 1<<8-1, "alg", "", "an algorithm has 8 bits")
			k.require(ds.GetDigestType() <= 1<<8-1, "digestType", "", "a digest type has 8 bits")
			k.require(len(ds.GetDigest()) >= 1 && len(ds.GetDigest()) <= maxDigestOctets, "digest", "", "a digest has 1 to %d octets", maxDigestOctets)
			if ds.GetKey() != nil {
				k.publicKey(ds.GetKey())
			}
		}
	}
	k.count("dsData", count, maxSignersPerList)
}

func (k *checker) publicKeys(lists ...[]*fsmpb.PublicKey) {
	count := 0
	for _, list := range lists {
		count += len(list)
		for _, key := range list {
			k.publicKey(key)
		}
	}
	k.count("keyData", count, maxSignersPerList)
}

func (k *checker) publicKey(key *fsmpb.PublicKey) {
	k.require(key.GetFlags() <= 1<<16-1, "flags", "", "the flags of a key have 16 bits")
	k.require(key.GetProtocol() <= 1<<8-1, "protocol", "", "the protocol of a key has 8 bits")
	k.require(key.GetAlgorithm() <= 1<<8-1, "alg", "", "an algorithm has 8 bits")
	k.require(len(key.GetData()) >= 1 && len(key.GetData()) <= maxPublicKeyOctets, "pubKey", "", "a public key has 1 to %d octets", maxPublicKeyOctets)
}

// fee bounds what a registrar agrees to pay; whether it is enough is for the policy to say.
func (k *checker) fee(f *fsmpb.Fee) {
	k.require(f.GetCurrency() == "" || len(f.GetCurrency()) == 3, "currency", "", "a currency is a three-letter ISO 4217 code")
}

func (k *checker) restoreReport(c *fsmpb.DomainRestoreReport) {
	k.name("name", c.GetName())
	k.require(len(c.GetPreData()) <= maxReportTextOctets, "preData", "", "the text is longer than %d octets", maxReportTextOctets)
	k.require(len(c.GetPostData()) <= maxReportTextOctets, "postData", "", "the text is longer than %d octets", maxReportTextOctets)
	k.require(len(c.GetOther()) <= maxReportTextOctets, "other", "", "the text is longer than %d octets", maxReportTextOctets)
	k.require(len(c.GetReason()) <= maxReportReasonOctets, "resReason", "", "the text is longer than %d octets", maxReportReasonOctets)
	k.count("statement", len(c.GetStatements()), maxReportStatements)
	for _, s := range c.GetStatements() {
		k.require(len(s) <= maxReportReasonOctets, "statement", "", "the text is longer than %d octets", maxReportReasonOctets)
	}
	k.instant("delTime", c.GetDeletedAtMs())
	k.instant("resTime", c.GetRestoredAtMs())
}

func (k *checker) registrarPassword(c *fsmpb.RegistrarPassword) {
	hash := c.GetPasswordHash()
	k.require(strings.HasPrefix(hash, "$argon2id$") && len(hash) <= maxPasswordHashOctets, "newPW", "", "a password is kept as an argon2id hash")
}
