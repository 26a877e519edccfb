package raftnode

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"cadastre/store"
)

// currentTermKey is the name of raft's durable variable.
const currentTermKey = "CurrentTerm"

// LocalState is what a node that does not run has on its disk.
type LocalState struct {
	// AppliedIndex and AppliedTerm are where the state stands.
	AppliedIndex, AppliedTerm uint64
	// FirstLogIndex and LastLogIndex bound the log, LastLogTerm is the term of its last
	// entry; zeros for an empty log.
	FirstLogIndex, LastLogIndex, LastLogTerm uint64
	// CurrentTerm is the highest term that the node has heard of.
	CurrentTerm uint64
	// Servers is the latest Raft configuration, committed or not.
	Servers []Server
}

// LastPosition returns the last index and its term, of the log or else of the state. With
// several survivors the one with the highest term, and then the highest index, has the most.
func (s *LocalState) LastPosition() (term, index uint64) {
	if s.LastLogIndex > s.AppliedIndex {
		return s.LastLogTerm, s.LastLogIndex
	}
	return s.AppliedTerm, s.AppliedIndex
}

// InspectLocal reads the log in dir from its first entry to its last and tells how it
// stands to the state in st. It changes nothing. An entry that cannot be read, is out of
// order or is missing between the state and the log is an error. No node may be open on
// dir.
func InspectLocal(dir string, st *store.Store) (LocalState, error) {
	meta, err := stateMeta(st)
	if err != nil {
		return LocalState{}, err
	}
	local := LocalState{AppliedIndex: meta.Index, AppliedTerm: meta.Term, Servers: convertServers(meta.Configuration)}
	path := (&Config{Dir: dir}).logPath()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return local, nil // a node that has joined and never ran
	}
	log, err := openForReading(path)
	if err != nil {
		return local, err
	}
	return local, errors.Join(local.readLog(log), log.Close())
}

func (s *LocalState) readLog(log *logStore) (err error) {
	_, err = log.rawVariable([]byte(stableCheckedKey))
	log.isStableChecked = err == nil
	if err := log.checkVariables(); err != nil {
		return err
	}
	if s.CurrentTerm, err = readTerm(log); err != nil {
		return err
	}
	if s.FirstLogIndex, s.LastLogIndex, err = log.bounds(); err != nil {
		return err
	}
	if s.LastLogIndex == 0 {
		return nil
	}
	if s.FirstLogIndex > s.AppliedIndex+1 {
		return fmt.Errorf("the log begins at index %d but the state ends at %d: entries between them are missing", s.FirstLogIndex, s.AppliedIndex)
	}
	for index := s.FirstLogIndex; index <= s.LastLogIndex; index++ {
		if err := s.readEntry(log, index); err != nil {
			return err
		}
	}
	return nil
}

// readEntry reads and checks one entry, and remembers what it says about the members.
func (s *LocalState) readEntry(log *logStore, index uint64) error {
	var entry raft.Log
	if err := log.entries.read(index, &entry); err != nil {
		return fmt.Errorf("read log entry %d: %w", index, err)
	}
	if entry.Term < s.LastLogTerm {
		return fmt.Errorf("log entry %d is out of order: it is of term %d, after term %d", index, entry.Term, s.LastLogTerm)
	}
	s.LastLogTerm = entry.Term
	if entry.Type != raft.LogConfiguration || index <= s.AppliedIndex {
		return nil // the state holds the configuration as of its own index
	}
	if err := recovered(func() { s.Servers = convertServers(raft.DecodeConfiguration(entry.Data)) }); err != nil {
		return fmt.Errorf("read the configuration in log entry %d: %w", index, err)
	}
	return nil
}

// readTerm reads raft's current term, 0 if there is none yet.
func readTerm(stable raft.StableStore) (uint64, error) {
	term, err := stable.GetUint64([]byte(currentTermKey))
	if err != nil && err.Error() != "not found" { // the convention of raft
		return 0, fmt.Errorf("read the current term: %w", err)
	}
	return term, nil
}

// MakeSoleVoter ends the log in dir with a Raft configuration of which the node is the only
// member, in a term of its own. A node opened on dir then leads at once, and what the log
// holds beyond the state becomes committed, whether the old cluster had committed it or
// not. It may be repeated. No node may be open on dir.
func MakeSoleVoter(dir string, st *store.Store, nodeID, address string) error {
	if err := checkNodeID(nodeID); err != nil {
		return err
	}
	at, err := readPosition(st)
	if err != nil {
		return err
	}
	if at.index == 0 {
		return errors.New("there is no state")
	}
	// A failure comes back from the call; there is no running node to end.
	dog := &watchdog{fatal: func(error) {}}
	segmented, err := wantsSegments(st, (&Config{Dir: dir}).logPath())
	if err != nil {
		return err
	}
	log, err := openLogStore((&Config{Dir: dir}).logPath(), dog, segmented)
	if err != nil {
		return err
	}
	if err := errors.Join(appendSoleVoter(log, at, nodeID, address), log.Close()); err != nil {
		return fmt.Errorf("make node %s the only voter: %w", nodeID, err)
	}
	return nil
}

func appendSoleVoter(log *logStore, at position, nodeID, address string) error {
	if _, err := log.reconcile(at); err != nil {
		return err
	}
	last := at
	end, err := log.LastIndex()
	if err != nil {
		return fmt.Errorf("read the log's last index: %w", err)
	}
	if end > at.index {
		var entry raft.Log
		if err := log.GetLog(end, &entry); err != nil {
			return fmt.Errorf("read log entry %d: %w", end, err)
		}
		last = position{entry.Index, entry.Term}
	}
	term, err := readTerm(log)
	if err != nil {
		return err
	}
	// A new term keeps the entry apart from any that the old cluster has at this index.
	term = max(term, last.term) + 1
	if err := log.SetUint64([]byte(currentTermKey), term); err != nil {
		return fmt.Errorf("save the term: %w", err)
	}
	configuration := raft.Configuration{Servers: []raft.Server{{
		Suffrage: raft.Voter, ID: raft.ServerID(nodeID), Address: raft.ServerAddress(address),
	}}}
	return log.StoreLog(&raft.Log{
		Index: last.index + 1, Term: term, Type: raft.LogConfiguration,
		Data: raft.EncodeConfiguration(configuration), AppendedAt: time.Now(),
	})
}

// Voters returns the ids of those that vote, sorted.
func (s *LocalState) Voters() []string {
	var ids []string
	for _, server := range s.Servers {
		if server.Suffrage == Voter {
			ids = append(ids, server.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
