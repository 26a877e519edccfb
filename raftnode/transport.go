package raftnode

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// rpcTimeout bounds one exchange with a peer. A full message of 1024 entries may hold
	// tens of megabytes, which a distant replica needs seconds for. For a checkpoint raft
	// scales it by the size.
	rpcTimeout = 10 * time.Second
	// pooledConnections per peer: heartbeats, replication and a vote at a time.
	pooledConnections = 3
	// fetchPatience is how long a peer that fetches what it was referred to is asked again
	// every fetchPoll, within one attempt of raft's.
	fetchPatience = 5 * time.Second
	fetchPoll     = 100 * time.Millisecond
	// maxPeerContacts bounds what is remembered about peers that have left.
	maxPeerContacts = 4096
)

// PeerContact is what the leader last heard from a peer.
type PeerContact struct {
	// At is when the peer last answered.
	At time.Time
	// LastLogIndex is the last index in the peer's log in that answer.
	LastLogIndex uint64
}

// peerTransport carries raft's messages. It names to the stream layer the node that a
// message is for, so that a connection is only made to the holder of that node's
// certificate, whatever answers at the address.
type peerTransport struct {
	*raft.NetworkTransport

	wishes   streamWishes
	stopping <-chan struct{}
	stats    *nodeStats

	contactMu sync.Mutex
	contacts  map[raft.ServerID]PeerContact
	said      map[raft.ServerID]saidLast // guarded by contactMu
}

// saidLast is the latest message without entries that a peer answered, and its answer.
type saidLast struct {
	term, previous, commit uint64
	answer                 raft.AppendEntriesResponse
	at                     time.Time
}

// idleRepeat is how often a peer is told the same again while nothing happens. raft does so
// every commit timeout, which is short so that followers learn soon of a commit. Heartbeats,
// which say who leads, are apart from this and always sent.
const idleRepeat = 100 * time.Millisecond

func newPeerTransport(stream *tlsStream, bridge *logBridge, stopping <-chan struct{}) *peerTransport {
	return &peerTransport{
		stopping: stopping,
		NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Stream:                  stream,
			MaxPool:                 pooledConnections,
			MaxRPCsInFlight:         1, // no pipelining, raft#612
			Timeout:                 rpcTimeout,
			Logger:                  bridge.hclog("raft-net"),
			MsgpackUseNewTimeFormat: true,
		}),
		contacts: make(map[raft.ServerID]PeerContact),
		said:     make(map[raft.ServerID]saidLast),
		stats:    newNodeStats(),
	}
}

// SetHeartbeatHandler declines raft's fast path for heartbeats, which would run beside the
// main thread and can elect two leaders of one term (raft#695).
func (t *peerTransport) SetHeartbeatHandler(func(raft.RPC)) {}

// AppendEntriesPipeline declines pipelining (raft#612).
func (t *peerTransport) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

// AppendEntries sends entries or a heartbeat and notes the contact.
func (t *peerTransport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if t.isRepeat(id, args, resp) {
		return nil
	}
	err := t.NetworkTransport.AppendEntries(id, dialTarget(id, target), args, resp)
	t.noteContact(id, args, resp, err)
	return err
}

// isRepeat says whether the peer was told just that a moment ago, and what it answered.
func (t *peerTransport) isRepeat(id raft.ServerID, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) bool {
	if len(args.Entries) > 0 || args.PrevLogEntry == 0 { // a heartbeat has no previous entry
		return false
	}
	t.contactMu.Lock()
	defer t.contactMu.Unlock()
	last, ok := t.said[id]
	if !ok || last.term != args.Term || last.previous != args.PrevLogEntry || last.commit != args.LeaderCommitIndex || time.Since(last.at) > idleRepeat {
		return false
	}
	*resp = last.answer
	return true
}

// RequestVote asks a voter for its vote.
func (t *peerTransport) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return t.NetworkTransport.RequestVote(id, dialTarget(id, target), args, resp)
}

// RequestPreVote asks a voter whether it would vote; raft uses pre-votes only with a
// transport that has this method.
func (t *peerTransport) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return t.NetworkTransport.RequestPreVote(id, dialTarget(id, target), args, resp)
}

// InstallSnapshot sends a peer that is behind the log a reference to a held checkpoint, or
// streams a checkpoint to it.
func (t *peerTransport) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	err := t.install(id, target, args, resp, data)
	if err == nil && resp.Success {
		t.stats.installsSent.Add(1)
	}
	return err
}

func (t *peerTransport) install(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	held, ok := data.(*heldStream)
	if !ok {
		return t.NetworkTransport.InstallSnapshot(id, dialTarget(id, target), args, resp, data)
	}
	if t.wishes.get(id) {
		err := t.NetworkTransport.InstallSnapshot(id, dialTarget(id, target), args, resp, held)
		t.wishes.note(id, err, true)
		return err
	}
	reference, err := held.reference.encode()
	if err != nil {
		return err
	}
	instead := *args
	instead.Size = int64(len(reference))
	// raft itself waits longer and longer between attempts; a small state is there soon.
	until := time.Now().Add(fetchPatience)
	for {
		err = t.NetworkTransport.InstallSnapshot(id, dialTarget(id, target), &instead, resp, bytes.NewReader(reference))
		if err == nil || !strings.Contains(err.Error(), errFetching.Error()) || time.Now().After(until) || t.isClosed(fetchPoll) {
			break
		}
	}
	t.wishes.note(id, err, false)
	return err
}

// isClosed waits for d and says whether the transport was closed by then.
func (t *peerTransport) isClosed(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-t.stopping:
		return true
	case <-timer.C:
		return false
	}
}

// TimeoutNow asks a voter to stand for election at once.
func (t *peerTransport) TimeoutNow(id raft.ServerID, target raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return t.NetworkTransport.TimeoutNow(id, dialTarget(id, target), args, resp)
}

func (t *peerTransport) noteContact(id raft.ServerID, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse, err error) {
	t.contactMu.Lock()
	defer t.contactMu.Unlock()
	if err != nil {
		delete(t.said, id)
		return
	}
	if len(t.contacts) >= maxPeerContacts {
		clear(t.contacts)
		clear(t.said)
	}
	switch {
	case len(args.Entries) > 0 || !resp.Success:
		delete(t.said, id)
	case args.PrevLogEntry > 0:
		t.said[id] = saidLast{term: args.Term, previous: args.PrevLogEntry, commit: args.LeaderCommitIndex, answer: *resp, at: time.Now()}
	}
	c := PeerContact{At: time.Now(), LastLogIndex: resp.LastLog}
	if prev := t.contacts[id]; prev.LastLogIndex > c.LastLogIndex && prev.At.Add(time.Second).After(c.At) {
		c.LastLogIndex = prev.LastLogIndex // answers on two connections may overtake each other
	}
	t.contacts[id] = c
}

func (t *peerTransport) contact(id raft.ServerID) PeerContact {
	t.contactMu.Lock()
	defer t.contactMu.Unlock()
	return t.contacts[id]
}

// dialTarget joins a node's id to its address for Dial; ids hold no at sign.
func dialTarget(id raft.ServerID, address raft.ServerAddress) raft.ServerAddress {
	return raft.ServerAddress(string(id) + "@" + string(address))
}

func splitDialTarget(target raft.ServerAddress) (id, address string, err error) {
	id, address, ok := strings.Cut(string(target), "@")
	if !ok || id == "" || address == "" {
		return "", "", fmt.Errorf("dial target %q names no node", target)
	}
	return id, address, nil
}
