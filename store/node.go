package store

import (
	"time"

	"cadastre/registry"
)

// Node returns the member with the id.
func (tx *ReadTx) Node(id string) (*registry.Node, bool) {
	value, ok := tx.get(tableNode.key().tail(id))
	if !ok {
		return nil, false
	}
	n := decodeNode(value)
	return &n, true
}

// Nodes returns all members, by id.
func (tx *ReadTx) Nodes() []registry.Node {
	var nodes []registry.Node
	tx.scan(tableNode.key(), nil, func(_, value []byte) bool {
		nodes = append(nodes, decodeNode(value))
		return true
	})
	return nodes
}

// PutNode writes a member.
func (tx *Tx) PutNode(n *registry.Node) {
	var e encoder
	e.str(1, n.ID)
	e.uint(2, uint64(n.Role))
	e.str(3, n.RaftAddress)
	e.str(4, n.GRPCAddress)
	e.time(5, n.JoinedAt)
	tx.set(tableNode.key().tail(n.ID), e.b)
}

// DeleteNode removes a member.
func (tx *Tx) DeleteNode(id string) { tx.del(tableNode.key().tail(id)) }

func decodeNode(value []byte) registry.Node {
	var n registry.Node
	decodeRow("node", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				n.ID = d.str()
			case 2:
				n.Role = registry.NodeRole(d.val)
			case 3:
				n.RaftAddress = d.str()
			case 4:
				n.GRPCAddress = d.str()
			case 5:
				n.JoinedAt = d.time()
			default:
				d.unknown()
			}
		}
	})
	return n
}

// JoinToken admits one node to the cluster, once, before ExpiresAt (leaders' time).
type JoinToken struct {
	Role      registry.NodeRole
	ExpiresAt time.Time
	UsedBy    string // node id, "" while unused
}

// JoinToken returns the token with the given SHA-256.
func (tx *ReadTx) JoinToken(sha256 []byte) (*JoinToken, bool) {
	value, ok := tx.get(tableJoinToken.key().bytes(sha256))
	if !ok {
		return nil, false
	}
	var t JoinToken
	decodeRow("join token", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				t.Role = registry.NodeRole(d.val)
			case 2:
				t.ExpiresAt = d.time()
			case 3:
				t.UsedBy = d.str()
			default:
				d.unknown()
			}
		}
	})
	return &t, true
}

// PutJoinToken writes a token under its SHA-256.
func (tx *Tx) PutJoinToken(sha256 []byte, t *JoinToken) {
	var e encoder
	e.uint(1, uint64(t.Role))
	e.time(2, t.ExpiresAt)
	e.str(3, t.UsedBy)
	tx.set(tableJoinToken.key().bytes(sha256), e.b)
}

// PurgeJoinTokens removes up to limit tokens that expired before the given time.
func (tx *Tx) PurgeJoinTokens(before time.Time, limit int) {
	var expired []key
	tx.scan(tableJoinToken.key(), nil, func(rest, value []byte) bool {
		decodeRow("join token", value, func(d *decoder) {
			for d.next() {
				if d.num == 2 && d.time().Before(before) {
					expired = append(expired, tableJoinToken.key().bytes(rest))
				}
			}
		})
		return len(expired) < limit
	})
	for _, k := range expired {
		tx.del(k)
	}
}
