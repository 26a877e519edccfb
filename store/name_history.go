package store

import "cadastre/registry"

// noteName remembers for ever that an object got the name now, so that its history is found
// by name after it is gone. key is the canonical name or the key of a contact's id.
func (tx *Tx) noteName(kind registry.ObjectKind, key string, roid registry.ROID) {
	tx.insert(nameROIDPrefix(kind, key).uint(tx.at.Index).uint32(tx.at.InEntry), []byte(roid))
}

func nameROIDPrefix(kind registry.ObjectKind, key string) key {
	return tableNameROID.key().bytes([]byte{byte(kind)}).str(key)
}

// ROIDsOf returns the objects of the kind that ever had the name, oldest first. One that had
// it again after a rename is there once. key is as for noteName.
func (tx *ReadTx) ROIDsOf(kind registry.ObjectKind, key string) []registry.ROID {
	var roids []registry.ROID
	seen := map[registry.ROID]bool{}
	tx.scan(nameROIDPrefix(kind, key), nil, func(_, value []byte) bool {
		if roid := registry.ROID(value); !seen[roid] {
			seen[roid] = true
			roids = append(roids, roid)
		}
		return true
	})
	// From registry.LevelPackedRows on the name of a domain is noted when it becomes free: no
	// domain takes another's place while that is there.
	if kind == registry.KindDomain {
		if d, found := tx.Domain(registry.DomainName(key)); found && !seen[d.ROID] {
			roids = append(roids, d.ROID)
		}
	}
	return roids
}
