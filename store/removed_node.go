package store

import "time"

// NodeRemovedAt returns when the node was removed, unless it has joined again since.
func (tx *ReadTx) NodeRemovedAt(id string) (time.Time, bool) {
	value, ok := tx.get(tableRemovedNode.key().tail(id))
	if !ok {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(decodeUint("removed node", value))).UTC(), true
}

// PutRemovedNode remembers that the node was removed.
func (tx *Tx) PutRemovedNode(id string, at time.Time) {
	tx.set(tableRemovedNode.key().tail(id), uintRow(uint64(at.UnixMilli())))
}

// DeleteRemovedNode forgets it, as when the node joins again.
func (tx *Tx) DeleteRemovedNode(id string) { tx.del(tableRemovedNode.key().tail(id)) }
