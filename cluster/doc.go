// Package cluster is what makes nodes one cluster beside the Raft log itself: the internal
// certificate authority and the TLS rules, the gRPC services between nodes and for
// operators, forwarding of proposals and reads to the leader, joining and removing of nodes,
// gossip hints, and the rules by which a joined node becomes a voter.
//
// Everything is denied unless a rule admits it. Who may connect is decided by the identity
// in the certificate during the handshake; who may call what by a table (access.go); and
// whether a node is still a member by the replicated state. Membership of the Raft group has
// one source of truth, the Raft configuration: gossip never changes it.
package cluster
