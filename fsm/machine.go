// Package fsm is the replicated state machine: it applies the entries of the Raft log to
// the store, one file per command. It is a pure function of the state and the log: it
// reads no clock and no randomness, so every node comes to the same state.
package fsm

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// FormatVersion is the version of the envelope that this program writes and reads.
const FormatVersion uint32 = 1

// Entry is one committed entry of the Raft log.
type Entry struct {
	Index, Term uint64
	// Data is a marshalled fsmpb.Envelope; empty for entries that only move the index.
	Data []byte
	// Configuration is set for a change of the Raft configuration, in Raft's encoding.
	Configuration []byte
}

// Effects says what applying a batch may have made necessary elsewhere on the node.
type Effects struct {
	Published bool // a zone has a new serial
	Dirty     bool // names await publication
	// HashComparedIndex is the index at which the state hash was last found equal to the
	// leader's, 0 if no entry compared them.
	HashComparedIndex uint64
}

// Halt is the panic value for a committed entry that this program cannot apply: going on
// would make this node differ from the others.
type Halt struct {
	Index  uint64
	Reason string
	// Diverged says that the state itself is wrong, not only this entry: starting again
	// changes nothing.
	Diverged bool
}

// Error says why the node stops.
func (h *Halt) Error() string {
	return fmt.Sprintf("entry %d of the log cannot be applied: %s; the node stops rather than diverge", h.Index, h.Reason)
}

// Machine applies entries to a store.
type Machine struct {
	store *store.Store
}

// New returns a machine over the store.
func New(st *store.Store) *Machine { return &Machine{store: st} }

// Apply applies the entries in one transaction and returns one result per command of each.
// Entries at or below the applied index are skipped. It panics with a *store.Fault when
// the storage fails and with a *Halt on an entry that it cannot decode.
func (m *Machine) Apply(entries []Entry) ([][]*fsmpb.Result, Effects) {
	results := make([][]*fsmpb.Result, len(entries))
	var effects Effects
	err := m.store.Update(func(tx *store.Tx) error {
		applied, _ := tx.Applied()
		for i := range entries {
			if entries[i].Index <= applied {
				continue
			}
			results[i] = applyEntry(tx, &entries[i], &effects)
		}
		return nil
	})
	if err != nil { // the function above returns none
		panic(&store.Fault{Op: "apply", Err: err})
	}
	return results, effects
}

func applyEntry(tx *store.Tx, e *Entry, effects *Effects) []*fsmpb.Result {
	tx.BeginEntry(e.Index, e.Term)
	defer tx.EndEntry()
	switch {
	case e.Configuration != nil:
		tx.SetRaftConfiguration(e.Configuration)
		return nil
	case len(e.Data) == 0:
		return nil
	}
	envelope := decodeEnvelope(e)
	now := advanceClock(tx, envelope.GetLeaderTimeMs())
	results := make([]*fsmpb.Result, len(envelope.GetCommands()))
	for i, command := range envelope.GetCommands() {
		tx.BeginCommand(uint32(i))
		results[i] = applyOnce(tx, command, now, effects)
		now = tx.Now() // a ClockSet may have moved it
	}
	return results
}

func decodeEnvelope(e *Entry) *fsmpb.Envelope {
	var envelope fsmpb.Envelope
	if err := proto.Unmarshal(e.Data, &envelope); err != nil {
		panic(&Halt{Index: e.Index, Reason: "it is not a valid envelope: " + err.Error()})
	}
	if envelope.GetFormatVersion() != FormatVersion || len(envelope.ProtoReflect().GetUnknown()) > 0 {
		panic(&Halt{Index: e.Index, Reason: fmt.Sprintf("its envelope has format version %d, this program knows %d", envelope.GetFormatVersion(), FormatVersion)})
	}
	return &envelope
}

// advanceClock moves the leaders' time and, under a system clock, registry time; neither
// ever goes back. It returns registry time.
func advanceClock(tx *store.Tx, leaderTimeMs int64) time.Time {
	stamp := time.UnixMilli(leaderTimeMs).UTC()
	if stamp.After(tx.LeaderNow()) {
		tx.SetLeaderNow(stamp)
	}
	if tx.ClockMode() == registry.ClockSystem && stamp.After(tx.Now()) {
		tx.SetNow(stamp)
	}
	tx.Keep()
	return tx.Now()
}

// applyOnce applies the command unless a command of the same request id was applied
// before, whose result it then returns again.
func applyOnce(tx *store.Tx, command *fsmpb.Command, now time.Time, effects *Effects) *fsmpb.Result {
	id := RequestID(command)
	if id.Origin != "" {
		if row, ok := tx.Result(id); ok {
			kept := &fsmpb.Result{}
			if err := proto.Unmarshal(row, kept); err != nil {
				panic(&store.Fault{Op: "decode kept result", Err: err})
			}
			return kept
		}
	}
	at := tx.At()
	r := &run{tx: tx, now: now, actor: command.GetActor(), reason: command.GetReason(), clTRID: command.GetCltrid(), effects: effects}
	tx.SetCause(store.Cause{
		Verb: Verb(command), ActorKind: uint32(r.actor.GetKind()), Actor: r.actor.GetId(),
		CLTRID: command.GetCltrid(), Reason: command.GetReason(), At: now,
	})
	result, err := r.apply(command)
	if err != nil {
		tx.Drop()
		result = refusal(err)
	} else {
		r.tellLowBalances()
	}
	result.Term, result.Index, result.Position = at.Term, at.Index, at.InEntry
	result.TimeMs = tx.Now().UnixMilli()
	if r.actor.GetKind() == fsmpb.ActorKind_ACTOR_KIND_REGISTRAR {
		queue := tx.PollQueue(r.registrarID())
		result.QueueCount, result.QueueHead = queue.Count, queue.Head
	}
	if id.Origin != "" {
		row, err := proto.MarshalOptions{Deterministic: true}.Marshal(result)
		if err != nil {
			panic(&store.Fault{Op: "encode result", Err: err})
		}
		tx.PutResult(id, row, tx.LeaderNow())
	}
	tx.Keep()
	return result
}

// RequestID returns under what the command's result is kept; one without an origin has none.
func RequestID(command *fsmpb.Command) store.RequestID {
	id := command.GetRequestId()
	return store.RequestID{Origin: id.GetOriginNode(), Epoch: id.GetBootEpoch(), Counter: id.GetCounter()}
}
