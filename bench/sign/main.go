// Command sign measures how long the first signing of a large zone takes: a million delegations of which 5 % have DS
// records, NSEC3 with opt-out, ECDSA P-256. The publisher does it in its steps, each signed, verified, put through
// the state machine and stored, as on a leader; only the network and the log are left out. Then it measures what
// publications of single registrations cost in ongoing operation, for the comparison with zones of other sizes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"

	"github.com/miekg/dns"
	"google.golang.org/protobuf/proto"

	"cadastre/bench/bulk"
	"cadastre/bench/load"
	"cadastre/dnssec"
	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/publisher"
	"cadastre/registry"
	"cadastre/store"
)

// ongoing is how many registrations are published one by one.
const ongoing = 500

func main() { os.Exit(load.Main("sign", run)) }

func run(ctx context.Context) (err error) {
	domains := flag.Int("domains", 1_000_000, "delegations of the zone")
	keep := flag.String("dir", "", "a folder in which the filled state is kept, or found; default: a fresh one that is removed")
	profile := flag.String("cpuprofile", "", "a file for the CPU profile of the signing")
	flag.Parse()
	dir := *keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "cadastre-sign-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	filled := filepath.Join(dir, "state")
	if _, missing := os.Stat(filled); missing != nil {
		if _, err := bulk.Fill(ctx, bulk.Config{StoreDir: filled, Domains: *domains, Seed: 1}); err != nil {
			return err
		}
	}
	st, err := store.Open(filled)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	n, err := newNode(st)
	if err != nil {
		return err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if err := n.signZone(ctx); err != nil {
		return err
	}
	return n.publishOneByOne(ctx)
}

// node applies what the publisher proposes, as a leader of a cluster of one would.
type node struct {
	store        *store.Store
	machine      *fsm.Machine
	publisher    *publisher.Publisher
	tld          *registry.TLD
	registrar    registry.RegistrarID
	index, term  uint64
	now          time.Time
	publications int
	octets       int
}

// keys is a keyring of one key.
type keys struct{ set *dnssec.KeySet }

func (k *keys) Keys(_ *store.ReadTx, tld *registry.TLD) (*dnssec.KeySet, error) {
	if tld.Policy.Signing.Denial == registry.DenialNone {
		return nil, nil
	}
	return k.set, nil
}

func newNode(st *store.Store) (*node, error) {
	n := &node{store: st, machine: fsm.New(st)}
	err := st.View(func(tx *store.ReadTx) error {
		n.index, n.term = tx.Applied()
		n.now = tx.Now()
		n.tld, n.registrar = tx.TLDs()[0], tx.Registrars()[0].ID
		return nil
	})
	if err != nil {
		return nil, err
	}
	key, err := dnssec.Generate(n.tld.Name, dnssec.FlagsEntryPoint, dns.ECDSAP256SHA256, n.tld.Policy.ApexTTLSeconds)
	if err != nil {
		return nil, err
	}
	set := &dnssec.KeySet{Published: []*dns.DNSKEY{key.Record}, Apex: []dnssec.Key{key}, Zone: []dnssec.Key{key}}
	n.publisher = publisher.New(n, st, &keys{set: set}, slog.New(slog.DiscardHandler))
	return n, n.do(operator(&fsmpb.Command{Body: &fsmpb.Command_FeatureLevelRaise{FeatureLevelRaise: &fsmpb.FeatureLevelRaise{Level: registry.MaxFeatureLevel}}}))
}

func operator(c *fsmpb.Command) *fsmpb.Command {
	c.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "operator"}
	return c
}

// Propose applies a command at once.
func (n *node) Propose(_ context.Context, c *fsmpb.Command) (*fsmpb.Result, error) {
	n.index++
	n.now = n.now.Add(time.Millisecond)
	data, err := proto.Marshal(&fsmpb.Envelope{FormatVersion: fsm.FormatVersion, LeaderTimeMs: n.now.UnixMilli(), Commands: []*fsmpb.Command{c}})
	if err != nil {
		return nil, err
	}
	if c.GetZonePublish() != nil {
		n.publications++
		n.octets += len(data)
	}
	results, _ := n.machine.Apply([]fsm.Entry{{Index: n.index, Term: n.term, Data: data}})
	return results[0][0], nil
}

func (n *node) do(c *fsmpb.Command) error {
	result, err := n.Propose(context.Background(), c)
	if err == nil {
		err = fsm.ResultError(result)
	}
	return err
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// signZone has the zone signed as a whole, at the publisher's pace.
func (n *node) signZone(ctx context.Context) error {
	n.tld.Policy.Signing = registry.SigningPolicy{Denial: registry.DenialNSEC3, OptOut: true}
	if err := n.do(operator(&fsmpb.Command{Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: string(n.tld.Name), Roid: "TSIGN", Policy: fsm.PolicyToProto(&n.tld.Policy)}}})); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	started, used := time.Now(), processorTime()
	go func() { done <- n.publisher.Run(ctx, nil) }()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for as := ""; as == "" || as == "in part"; {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		}
		if err := n.store.View(func(tx *store.ReadTx) error { as = tx.ZoneState(n.tld.Name).SignedAs; return nil }); err != nil {
			return err
		}
	}
	took, processor := time.Since(started), processorTime()-used
	cancel()
	err := <-done
	fmt.Printf("signed %s as a whole in %.1f s, %.1f s of processor time: %d publications, %.1f MB of entries\n",
		n.tld.Name, took.Seconds(), processor.Seconds(), n.publications, float64(n.octets)/1e6)
	return err
}

// publishOneByOne registers names with DS records and publishes each.
func (n *node) publishOneByOne(ctx context.Context) error {
	var took []time.Duration
	used := processorTime()
	for i := range ongoing {
		create := &fsmpb.Command{
			Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, Id: string(n.registrar)},
			Body: &fsmpb.Command_DomainCreate{DomainCreate: &fsmpb.DomainCreate{
				Name: fmt.Sprintf("ongoing-%d-%d.%s", n.index, i, n.tld.Name), Roid: fmt.Sprintf("DG%d", n.index), PeriodYears: 1,
				NameServers: []string{"ns0.bulk-hosting.test"}, Ds: []*fsmpb.DelegationSigner{{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: make([]byte, 32)}},
			}},
		}
		if err := n.do(create); err != nil {
			return err
		}
		started := time.Now()
		if err := n.publisher.Settle(ctx); err != nil {
			return err
		}
		took = append(took, time.Since(started))
	}
	slices.Sort(took)
	fmt.Printf("a registration with a DS record is computed, signed, verified and applied in %v, p99 %v; %v of processor time\n",
		took[len(took)/2].Round(time.Microsecond), took[len(took)*99/100].Round(time.Microsecond), ((processorTime() - used) / ongoing).Round(time.Microsecond))
	return nil
}
