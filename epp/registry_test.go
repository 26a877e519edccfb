package epp

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"google.golang.org/protobuf/proto"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// localRegistry is the real state machine over a real store, without Raft: a proposal is
// applied at once as the next entry of a log that nobody else writes.
type localRegistry struct {
	store   *store.Store
	machine *fsm.Machine

	mu    sync.Mutex // guards what follows
	index uint64
	now   time.Time
	// hook, if set, runs before each proposal and read, which fail with its error.
	hook func(context.Context) error
}

// startOfTime is when every script begins.
func startOfTime() time.Time { return time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC) }

// Names, passwords and prices of the registry under test.
const (
	registrarA = "registrar-a"
	registrarB = "registrar-b"
	registrarC = "registrar-c" // has no credit
	passwordA  = "alpha-secret"
	passwordB  = "bravo-secret"
	passwordC  = "carol-secret"
)

func newLocalRegistry(t testing.TB) *localRegistry {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &localRegistry{store: st, machine: fsm.New(st), now: startOfTime()}
	system := &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "test"}
	r.must(t, &fsmpb.Command{Actor: system, Body: &fsmpb.Command_ClusterInit{ClusterInit: &fsmpb.ClusterInit{
		ClusterId: "test-cluster", ClockMode: uint32(registry.ClockSystem), FirstNode: &fsmpb.Node{Id: "n1"}, FeatureLevel: registry.MaxFeatureLevel,
	}}})
	for _, tld := range []string{"example", "other"} {
		r.operator(t, &fsmpb.Command{Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: tld, Roid: "T" + tld, Policy: testPolicy(tld)}}})
	}
	attributes := testPolicy("attr")
	attributes.HostAttributes, attributes.MinNameServers = true, 2
	r.operator(t, &fsmpb.Command{Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: "attr", Roid: "Tattr", Policy: attributes}}})
	r.addRegistrar(t, registrarA, passwordA, 100000)
	r.addRegistrar(t, registrarB, passwordB, 100000)
	r.addRegistrar(t, registrarC, passwordC, 0)
	return r
}

func testPolicy(tld string) *fsmpb.TLDPolicy {
	return &fsmpb.TLDPolicy{
		RoidSuffix: "TEST", Currency: "EUR", CreatePriceMinor: 1000, RenewPriceMinor: 1000, TransferPriceMinor: 1000, RestorePriceMinor: 4000,
		MinPeriodYears: 1, MaxPeriodYears: 10, AutoRenew: true, AddGraceDays: 5, RenewGraceDays: 5, AutoRenewGraceDays: 45,
		TransferGraceDays: 5, RedemptionDays: 30, PendingDeleteDays: 5, MaxNameServers: 13, MaxContacts: 10, RegistrantRequired: true,
		ReservedLabels: []string{"reserved"}, ApexServers: []*fsmpb.ApexServer{{Name: "a.nic." + tld, Addresses: [][]byte{{192, 0, 2, 1}}}},
		SoaMname: "a.nic." + tld, SoaRname: "hostmaster.nic." + tld, SoaRefreshSeconds: 1800, SoaRetrySeconds: 900,
		SoaExpireSeconds: 604800, SoaMinimumSeconds: 3600, ApexTtlSeconds: 86400, DelegationTtlSeconds: 3600, AllowPrivateAddresses: true,
		AllowWeakAuthInfo: true,
		PremiumNames:      []*fsmpb.PremiumName{{Label: "gold", Class: "tier 1", CreatePriceMinor: 50000, RenewPriceMinor: 20000, RestorePriceMinor: 9000}},
	}
}

func (r *localRegistry) addRegistrar(t testing.TB, id, password string, depositMinor int64) {
	t.Helper()
	r.operator(t, &fsmpb.Command{Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: &fsmpb.RegistrarCreate{
		Id: id, Name: id, Email: "ops@" + id + ".test", PasswordHash: cheapHash(password), Tlds: []string{"example", "attr"},
		Currency: "EUR", OpeningDepositMinor: depositMinor, Roid: "R" + id[len(id)-1:],
	}}})
}

// cheapHash is a password hash of the least cost, to keep the tests quick.
func cheapHash(password string) string {
	salt := []byte("salt of the test")
	key := argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)
	return fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version, base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

func (r *localRegistry) operator(t testing.TB, command *fsmpb.Command) {
	t.Helper()
	command.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "tester"}
	r.must(t, command)
}

func (r *localRegistry) must(t testing.TB, command *fsmpb.Command) {
	t.Helper()
	result, err := r.Propose(t.Context(), command)
	if err == nil {
		err = fsm.ResultError(result)
	}
	if err != nil {
		t.Fatalf("%s: %v", fsm.Verb(command), err)
	}
}

// advance moves the clock, and lets everything happen that is due by then.
func (r *localRegistry) advance(t *testing.T, by time.Duration) {
	t.Helper()
	r.mu.Lock()
	r.now = r.now.Add(by)
	r.mu.Unlock()
	for more := true; more; {
		result, err := r.Propose(t.Context(), &fsmpb.Command{
			Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "test"},
			Body:  &fsmpb.Command_Tick{Tick: &fsmpb.Tick{}},
		})
		if err != nil {
			t.Fatal(err)
		}
		more = result.GetMoreDue()
		if err := r.store.View(func(tx *store.ReadTx) error { more = more || tx.DueNow(); return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *localRegistry) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// setHook changes what happens before each proposal and read.
func (r *localRegistry) setHook(hook func(context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hook = hook
}

func (r *localRegistry) runHook(ctx context.Context) error {
	r.mu.Lock()
	hook := r.hook
	r.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(ctx)
}

// Propose applies the command.
func (r *localRegistry) Propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	if err := r.runHook(ctx); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	data, err := proto.Marshal(&fsmpb.Envelope{
		FormatVersion: fsm.FormatVersion, LeaderTimeMs: r.now.UnixMilli(), Commands: []*fsmpb.Command{command},
	})
	if err != nil {
		return nil, err
	}
	r.index++
	results, _ := r.machine.Apply([]fsm.Entry{{Index: r.index, Term: 1, Data: data}})
	return results[0][0], nil
}

// Standing reads how a registrar stands; nothing that a test holds up holds it up.
func (r *localRegistry) Standing(_ context.Context, id registry.RegistrarID) (standing Standing, err error) {
	err = r.store.View(func(tx *store.ReadTx) error {
		standing = StandingOf(tx, id)
		return nil
	})
	return standing, err
}

// View reads what has been applied. The server must ask for linearizable reads only.
func (r *localRegistry) View(ctx context.Context, level store.Consistency, fn func(*store.ReadTx) error) error {
	if err := r.runHook(ctx); err != nil {
		return err
	}
	if level != store.Linearizable {
		return errors.New("the server asked for a stale read")
	}
	return r.store.View(fn)
}
