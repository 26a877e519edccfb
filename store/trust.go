package store

import "time"

// Trust returns the authorities that members trust, as DER certificates, and the version of
// that set: 0 and none if each member trusts what its own file says.
func (tx *ReadTx) Trust() (version uint64, authorities [][]byte) {
	value, ok := tx.get(tableMeta.key().tail(metaTrust))
	if !ok {
		return 0, nil
	}
	decodeRow("trust", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				version = d.val
			case 2:
				authorities = append(authorities, d.bytes())
			default:
				d.unknown()
			}
		}
	})
	return version, authorities
}

// PutTrust writes the set.
func (tx *Tx) PutTrust(version uint64, authorities [][]byte) {
	var e encoder
	e.uint(1, version)
	for _, der := range authorities {
		e.elem(2, der)
	}
	tx.set(tableMeta.key().tail(metaTrust), e.b)
}

// Revocation is a row of what operators' certificates are worth nothing any more.
type Revocation struct {
	Operator string
	SHA256   []byte // of one certificate; empty: all that were issued before At
	At       time.Time
}

// OperatorRevokedAt returns when all certificates of the operator so far were revoked.
func (tx *ReadTx) OperatorRevokedAt(name string) (time.Time, bool) { return tx.revokedAt(name, nil) }

// CertificateRevoked says whether the one certificate of the operator was revoked.
func (tx *ReadTx) CertificateRevoked(name string, sha256 []byte) bool {
	_, revoked := tx.revokedAt(name, sha256)
	return revoked
}

func (tx *ReadTx) revokedAt(name string, sha256 []byte) (time.Time, bool) {
	value, ok := tx.get(tableRevocation.key().str(name).bytes(sha256))
	if !ok {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(decodeUint("revocation", value))).UTC(), true
}

// Revocations returns all of them, by operator.
func (tx *ReadTx) Revocations() (list []Revocation) {
	tx.scan(tableRevocation.key(), nil, func(rest, value []byte) bool {
		end := 0
		for end < len(rest) && rest[end] != separator {
			end++
		}
		list = append(list, Revocation{
			Operator: string(rest[:end]), SHA256: append([]byte(nil), rest[min(end+1, len(rest)):]...),
			At: time.UnixMilli(int64(decodeUint("revocation", value))).UTC(),
		})
		return true
	})
	return list
}

// PutRevocation writes one.
func (tx *Tx) PutRevocation(name string, sha256 []byte, at time.Time) {
	tx.set(tableRevocation.key().str(name).bytes(sha256), uintRow(uint64(at.UnixMilli())))
}
