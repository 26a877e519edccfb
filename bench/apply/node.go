package main

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"google.golang.org/protobuf/proto"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	tld       = "example"
	registrar = "registrar-a"
	hosts     = 1000
	// startMs is when the entries begin, Unix milliseconds; each batch is a millisecond later.
	startMs = 1_800_000_000_000
)

// node applies entries that it makes itself, as a leader of a cluster of one would.
type node struct {
	store   *store.Store
	machine *fsm.Machine
	index   uint64
	nowMs   int64
	counter uint64
	created int
	slowest time.Duration // batch since it was set to 0

	proposed chan *proposal
	dirty    chan struct{}
}

// proposal is a command of the publisher.
type proposal struct {
	command *fsmpb.Command
	result  chan *fsmpb.Result
}

func newNode(st *store.Store) *node {
	return &node{store: st, machine: fsm.New(st), nowMs: startMs, proposed: make(chan *proposal), dirty: make(chan struct{}, 1)}
}

// Propose has the command applied with the next batch.
func (n *node) Propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	p := &proposal{command: command, result: make(chan *fsmpb.Result, 1)}
	select {
	case n.proposed <- p:
		return <-p.result, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *node) setUp() {
	operator := &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "operator"}
	n.must(&fsmpb.Command{Actor: operator, Body: &fsmpb.Command_FeatureLevelRaise{FeatureLevelRaise: &fsmpb.FeatureLevelRaise{Level: registry.MaxFeatureLevel}}})
	n.must(&fsmpb.Command{Actor: operator, Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: tld, Roid: "T1", Policy: fsm.PolicyToProto(&registry.TLDPolicy{
		ROIDSuffix: "EX", Currency: "EUR", CreatePriceMinor: 1000, RenewPriceMinor: 1000, RestorePriceMinor: 4000, MinPeriodYears: 1, MaxPeriodYears: 10,
		AutoRenew: true, AddGraceDays: 5, RedemptionDays: 30, PendingDeleteDays: 5, MaxNameServers: 13, MaxContacts: 10,
		ApexServers: []registry.ApexServer{{Name: "a.nic." + tld, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}},
		SOAMName:    "a.nic." + tld, SOARName: "hostmaster.nic." + tld, SOARefreshSeconds: 1, SOARetrySeconds: 1, SOAExpireSeconds: 1, SOAMinimumSeconds: 1,
		ApexTTLSeconds: 1, DelegationTTLSeconds: 1,
	})}}})
	n.must(&fsmpb.Command{Actor: operator, Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: &fsmpb.RegistrarCreate{
		Id: registrar, Roid: "R1", Currency: "EUR", Tlds: []string{tld}, CreditLimitMinor: 1 << 60,
	}}})
	for i := range hosts {
		n.must(&fsmpb.Command{Actor: actor(), Body: &fsmpb.Command_HostCreate{HostCreate: &fsmpb.HostCreate{Name: hostName(i), Roid: fmt.Sprint("H", i)}}})
	}
}

func actor() *fsmpb.Actor {
	return &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, Id: registrar}
}

func hostName(i int) string { return fmt.Sprintf("ns%d.load.test", i) }

// must applies a command that cannot be refused.
func (n *node) must(command *fsmpb.Command) {
	results := n.apply([][]*fsmpb.Command{{command}})
	if err := fsm.ResultError(results[0][0]); err != nil {
		panic(fmt.Sprintf("%s: %v", fsm.Verb(command), err)) // a defect of this program
	}
}

// applyCreates applies one batch of creates, and what the publisher proposed meanwhile.
func (n *node) applyCreates() {
	entries := make([][]*fsmpb.Command, entriesPerBatch)
	for i := range entries {
		for range commandsPerEntry {
			entries[i] = append(entries[i], n.create())
		}
	}
	var publication *proposal
	select {
	case publication = <-n.proposed:
		entries = append(entries, []*fsmpb.Command{publication.command})
	default:
	}
	results := n.apply(entries)
	if publication != nil {
		publication.result <- results[entriesPerBatch][0]
	}
	for _, result := range results[:entriesPerBatch] {
		for _, r := range result {
			if err := fsm.ResultError(r); err != nil {
				panic(fmt.Sprintf("a create was refused: %v", err)) // a defect of this program
			}
		}
	}
	select {
	case n.dirty <- struct{}{}:
	default:
	}
}

// create makes the command that an EPP server makes of a create with two hosts and
// authorisation information; names come in no order.
func (n *node) create() *fsmpb.Command {
	n.created++
	random := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n.created)))
	text := base32.StdEncoding.EncodeToString(random[:10])
	n.counter++
	return &fsmpb.Command{
		Actor: actor(), Cltrid: "load-0001", RequestId: &fsmpb.RequestID{OriginNode: "n1", BootEpoch: 1_800_000_000_000_000_000, Counter: n.counter},
		Body: &fsmpb.Command_DomainCreate{DomainCreate: &fsmpb.DomainCreate{
			Name: fmt.Sprintf("load-%x.%s", random[:6], tld), Roid: "D" + text, PeriodYears: 1,
			NameServers: []string{hostName(int(random[0])), hostName(int(random[1]) + 256)},
			AuthInfo:    &fsmpb.AuthInfo{Salt: random[:16], Hash: random[:]},
		}},
	}
}

// apply applies entries of commands in one batch.
func (n *node) apply(entries [][]*fsmpb.Command) [][]*fsmpb.Result {
	n.nowMs++
	batch := make([]fsm.Entry, len(entries))
	for i, commands := range entries {
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(&fsmpb.Envelope{FormatVersion: fsm.FormatVersion, LeaderTimeMs: n.nowMs, Commands: commands})
		if err != nil {
			panic(err) // a defect of this program
		}
		n.index++
		batch[i] = fsm.Entry{Index: n.index, Term: 1, Data: data}
	}
	began := time.Now()
	results, _ := n.machine.Apply(batch)
	n.slowest = max(n.slowest, time.Since(began))
	return results
}
