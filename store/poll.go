package store

import (
	"cadastre/registry"
)

// pollHead is the row of a registrar in tablePollQueue: its queue, and the last sequence
// number given out, so that none is given twice.
type pollHead struct {
	registry.PollQueue
	last uint64
}

func (tx *ReadTx) pollHead(id registry.RegistrarID) pollHead {
	var h pollHead
	value, ok := tx.get(tablePollQueue.key().tail(string(id)))
	if !ok {
		return h
	}
	decodeRow("poll queue", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				h.Count = d.val
			case 2:
				h.Head = d.val
			case 3:
				h.last = d.val
			default:
				d.unknown()
			}
		}
	})
	return h
}

func (tx *Tx) setPollHead(id registry.RegistrarID, h pollHead) {
	var e encoder
	e.uint(1, h.Count)
	e.uint(2, h.Head)
	e.uint(3, h.last)
	tx.set(tablePollQueue.key().tail(string(id)), e.b)
}

// PollQueue returns how the registrar's message queue stands; one read of one row.
func (tx *ReadTx) PollQueue(id registry.RegistrarID) registry.PollQueue {
	return tx.pollHead(id).PollQueue
}

// PollQueues calls fn with how the queue of each registrar stands that ever had a message.
func (tx *ReadTx) PollQueues(fn func(id registry.RegistrarID, queue registry.PollQueue)) {
	tx.scan(tablePollQueue.key(), nil, func(rest, _ []byte) bool {
		id := registry.RegistrarID(rest)
		fn(id, tx.PollQueue(id))
		return true
	})
}

func pollKey(id registry.RegistrarID, sequence uint64) key {
	return tablePollMessage.key().str(string(id)).uint(sequence)
}

// PollMessage returns a message that waits for the registrar.
func (tx *ReadTx) PollMessage(id registry.RegistrarID, sequence uint64) (*registry.PollMessage, bool) {
	value, ok := tx.get(pollKey(id, sequence))
	if !ok {
		return nil, false
	}
	m := &registry.PollMessage{Registrar: id, Sequence: sequence}
	decodeRow("poll message", value, func(d *decoder) {
		for d.next() {
			d.pollField(m)
		}
	})
	return m, true
}

// PutPollMessage appends the message to the queue of m.Registrar and returns its sequence
// number.
func (tx *Tx) PutPollMessage(m *registry.PollMessage) uint64 {
	h := tx.pollHead(m.Registrar)
	h.last++
	if h.Count++; h.Count == 1 {
		h.Head = h.last
	}
	tx.setPollHead(m.Registrar, h)
	tx.set(pollKey(m.Registrar, h.last), encodePollMessage(m))
	return h.last
}

// DeletePollHead removes the first message of a queue that is not empty and returns how the
// queue stands then. Numbers have no gaps, so the next message is that of the next number.
func (tx *Tx) DeletePollHead(id registry.RegistrarID) registry.PollQueue {
	h := tx.pollHead(id)
	if h.Count == 0 {
		return h.PollQueue
	}
	tx.del(pollKey(id, h.Head))
	h.Head++
	if h.Count--; h.Count == 0 {
		h.Head = 0
	}
	tx.setPollHead(id, h)
	return h.PollQueue
}

func encodePollMessage(m *registry.PollMessage) []byte {
	var e encoder
	e.time(1, m.At)
	e.uint(2, uint64(m.Kind))
	e.uint(3, uint64(m.Object))
	e.str(4, m.Key)
	e.str(5, string(m.ROID))
	e.transfer(6, m.Transfer)
	e.time(7, m.ExpiresAt)
	e.time(8, m.ActAt)
	e.str(9, m.Action.CLTRID)
	e.uint(10, m.Action.Term)
	e.uint(11, m.Action.Index)
	e.uint(12, uint64(m.Action.InEntry))
	e.change(fieldPollChange, m.Change)
	e.lowBalance(20, m.LowBalance)
	e.keyRelay(m.KeyRelay)
	e.applicationStep(m.Application)
	return e.b
}

func (d *decoder) pollField(m *registry.PollMessage) {
	switch d.num {
	case 1:
		m.At = d.time()
	case 2:
		m.Kind = registry.PollKind(d.val)
	case 3:
		m.Object = registry.ObjectKind(d.val)
	case 4:
		m.Key = d.str()
	case 5:
		m.ROID = registry.ROID(d.str())
	case 6:
		m.Transfer = d.transfer()
	case 7:
		m.ExpiresAt = d.time()
	case 8:
		m.ActAt = d.time()
	case 9:
		m.Action.CLTRID = d.str()
	case 10:
		m.Action.Term = d.val
	case 11:
		m.Action.Index = d.val
	case 12:
		m.Action.InEntry = uint32(d.val)
	case fieldPollChange:
		m.Change = d.change()
	case 20:
		m.LowBalance = d.lowBalance()
	case fieldPollKeyRelay:
		m.KeyRelay = d.keyRelay()
	case fieldPollApplication:
		m.Application = d.applicationStep()
	default:
		d.unknown()
	}
}
