package store_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"cadastre/registry"
	"cadastre/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// write runs fn as the entry at the index.
func write(t *testing.T, st *store.Store, index uint64, fn func(tx *store.Tx)) {
	t.Helper()
	err := st.Update(func(tx *store.Tx) error {
		tx.BeginEntry(index, 1)
		tx.BeginCommand(0)
		fn(tx)
		tx.EndEntry()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, st *store.Store, fn func(tx *store.ReadTx)) {
	t.Helper()
	if err := st.View(func(tx *store.ReadTx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func now() time.Time { return time.Date(2026, 2, 3, 4, 5, 6, 7e6, time.UTC) }

func provenance(roid registry.ROID) registry.Provenance {
	return registry.Provenance{ROID: roid, Sponsor: "reg-a", Creator: "reg-b", CreatedAt: now(), Updater: "reg-c", UpdatedAt: now().Add(1e9), TransferredAt: now().Add(2e9)}
}

func fullDomain() *registry.Domain {
	return &registry.Domain{
		Provenance: provenance("D1-EX"), Name: "one.example", TLD: "example", ExpiresAt: now().AddDate(1, 0, 0), Registrant: "C-One",
		Contacts:    []registry.DomainContact{{Role: registry.RoleAdmin, ID: "C-One"}, {Role: registry.RoleTech, ID: "c-two"}},
		NameServers: []registry.DomainName{"ns2.one.example", "ns1.one.example"},
		Statuses:    registry.Statuses{registry.StatusClientHold}, AuthInfo: registry.AuthInfo{Salt: []byte{1}, Hash: []byte{2}},
		Graces: []registry.Grace{{Kind: registry.GraceAdd, EndsAt: now(), ChargeRow: 7}}, Phase: registry.PhaseRedemption, PhaseEndsAt: now().Add(3e9),
		RestoreRequestedAt: now().Add(4e9), RedemptionEndsAt: now().Add(5e9), MaxSigLifeSeconds: 3600,
		DS: []registry.DelegationSigner{{KeyTag: 65535, Algorithm: 13, DigestType: 2, Digest: []byte{1, 2}},
			{Algorithm: 8, DigestType: 4, Digest: []byte{3}, Key: &registry.PublicKey{Flags: 257, Protocol: 3, Algorithm: 8, Data: []byte{4}}}},
		Keys: []registry.PublicKey{{Flags: 257, Protocol: 3, Algorithm: 13, Data: []byte{5}}, {Data: []byte{6}}},
	}
}

func TestObjectsComeBackAsWritten(t *testing.T) {
	st := open(t, t.TempDir())
	domain := fullDomain()
	host := &registry.Host{Provenance: provenance("H1-EX"), Name: "ns1.one.example", Superordinate: "one.example",
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, Statuses: registry.Statuses{registry.StatusClientUpdateProhibited}}
	contact := &registry.Contact{Provenance: provenance("C1-EX"), ID: "C-One", Email: "a@example.net",
		Postal: []registry.PostalInfo{{Type: "loc", Name: "Ä", Organization: "O", Street: []string{"1", "", "3"}, City: "Z", StateProvince: "S", PostalCode: "P", CountryCode: "CH"}},
		Voice:  registry.Phone{Number: "+41.1", Extension: "2"}, Fax: registry.Phone{Number: "+41.3"},
		AuthInfo: registry.AuthInfo{Salt: []byte{3}, Hash: []byte{4}, ExpiresAt: now().Add(7e9)}, Disclose: &registry.Disclose{Fields: []string{"voice"}}}
	registrar := &registry.Registrar{ID: "reg-a", ROID: "R1-REG", Name: "A", Email: "e", URL: "u", IANAID: 9999, State: registry.RegistrarActive, PasswordHash: "h",
		CertificateSHA256: [][]byte{{1, 2}}, TLDs: []registry.DomainName{"example"}, Currency: "EUR", CreditLimit: 5, LowBalanceMinor: 6,
		Sources: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/48")}, ThinTLDs: []registry.DomainName{"example", "other"},
		QueryRate: 7, TransformRate: 8, CreatedAt: now(), UpdatedAt: now()}
	tld := &registry.TLD{Name: "example", ROID: "T1-EX", CreatedAt: now(), UpdatedAt: now(), Policy: registry.TLDPolicy{
		ROIDSuffix: "EX", Currency: "EUR", CreatePriceMinor: 1, RenewPriceMinor: 2, TransferPriceMinor: 3, RestorePriceMinor: 4, MinPeriodYears: 1, MaxPeriodYears: 10,
		AutoRenew: true, AddGraceDays: 5, RenewGraceDays: 6, AutoRenewGraceDays: 7, TransferGraceDays: 8, RedemptionDays: 9, PendingDeleteDays: 10, MinNameServers: 2,
		MaxNameServers: 13, MaxContacts: 4, RegistrantRequired: true, AllowPrivateAddresses: true, ReservedLabels: []string{"nic"},
		ApexServers: []registry.ApexServer{{Name: "a.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.9")}}},
		SOAMName:    "a.nic.example", SOARName: "h.nic.example", SOARefreshSeconds: 1, SOARetrySeconds: 2, SOAExpireSeconds: 3, SOAMinimumSeconds: 4, ApexTTLSeconds: 5, DelegationTTLSeconds: 6, TransferPendingDays: 11,
		KeyDataInterface: true, MaxDelegationSigners: 12, RestoreReportDays: 13, AllowWeakAuthInfo: true, AuthInfoDays: 14, KeepApplicationDays: 15, KeepTokenDays: 16, DataModel: registry.DataModelPerRegistrar,
		PremiumNames: []registry.PremiumName{{Label: "gold", Class: "tier 1", CreatePriceMinor: 1, RenewPriceMinor: 2, RestorePriceMinor: 3}, {}}}}
	write(t, st, 1, func(tx *store.Tx) {
		tx.PutDomain(nil, domain)
		tx.PutHost(nil, host)
		tx.PutContact(nil, contact)
		tx.PutRegistrar(registrar)
		tx.PutTLD(tld)
	})
	view(t, st, func(tx *store.ReadTx) {
		compare := func(want, got any) {
			t.Helper()
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		gotDomain, _ := tx.Domain("one.example")
		compare(domain, gotDomain)
		gotHost, _ := tx.Host("ns1.one.example")
		compare(host, gotHost)
		gotContact, _ := tx.Contact("c-ONE")
		compare(contact, gotContact)
		gotRegistrar, _ := tx.Registrar("reg-a")
		compare(registrar, gotRegistrar)
		gotTLD, _ := tx.TLDOf("a.b.example")
		compare(tld, gotTLD)
		compare([]registry.DomainName{"one.example"}, tx.ContactUsers("c-one", 9))
		compare([]registry.DomainName{"one.example"}, tx.HostUsers("ns2.one.example", 9))
		compare([]registry.DomainName{"ns1.one.example"}, tx.SubordinateHosts("one.example", 9))
		compare([]store.Due{{At: now().Add(3e9), Domain: "one.example"}}, tx.DueUntil(now().Add(4e9), 9))
	})
}

func TestIndexesFollowTheDomain(t *testing.T) {
	st := open(t, t.TempDir())
	old := fullDomain()
	next := *old
	next.Registrant, next.Contacts, next.NameServers = "c-two", nil, []registry.DomainName{"ns3.one.example"}
	write(t, st, 1, func(tx *store.Tx) { tx.PutDomain(nil, old) })
	write(t, st, 2, func(tx *store.Tx) { tx.PutDomain(old, &next) })
	view(t, st, func(tx *store.ReadTx) {
		for _, id := range []registry.ContactID{"c-one"} {
			if users := tx.ContactUsers(id, 9); len(users) != 0 {
				t.Errorf("%s is still used by %v", id, users)
			}
		}
		if users := tx.HostUsers("ns1.one.example", 9); len(users) != 0 {
			t.Errorf("ns1 is still used by %v", users)
		}
		if users := tx.HostUsers("ns3.one.example", 9); len(users) != 1 {
			t.Errorf("ns3 is used by %v", users)
		}
		if kind, name, found := tx.ROID("D1-EX"); !found || kind != registry.KindDomain || name != "one.example" {
			t.Errorf("the ROID leads to %v %q %v", kind, name, found)
		}
	})
	write(t, st, 3, func(tx *store.Tx) { tx.DeleteDomain(&next) })
	view(t, st, func(tx *store.ReadTx) {
		if _, _, found := tx.ROID("D1-EX"); found || tx.HasDomain("one.example") || len(tx.DueUntil(now().AddDate(9, 0, 0), 9)) != 0 {
			t.Error("the deleted domain left rows behind")
		}
		versions := 0
		tx.History("D1-EX", func(v *store.Version) bool {
			versions++
			if v.Deleted != (v.Index == 3) {
				t.Errorf("version of index %d: deleted is %v", v.Index, v.Deleted)
			}
			if !v.Deleted && v.Domain().ROID != "D1-EX" {
				t.Errorf("version of index %d does not hold the domain", v.Index)
			}
			return true
		})
		if versions != 3 {
			t.Errorf("%d versions are kept, not 3", versions)
		}
	})
}

func TestDroppedCommandLeavesNothing(t *testing.T) {
	st := open(t, t.TempDir())
	write(t, st, 1, func(tx *store.Tx) { tx.PutNode(&registry.Node{ID: "n1"}) })
	var before []byte
	view(t, st, func(tx *store.ReadTx) { before = tx.StateHash() })
	write(t, st, 2, func(tx *store.Tx) {
		tx.PutDomain(nil, fullDomain())
		tx.DeleteNode("n1")
		if len(tx.Nodes()) != 0 || !tx.HasDomain("one.example") {
			t.Error("a command does not see its own writes")
		}
		tx.Drop()
		if len(tx.Nodes()) != 1 || tx.HasDomain("one.example") {
			t.Error("a dropped command's writes are still seen")
		}
	})
	view(t, st, func(tx *store.ReadTx) {
		if diff := cmp.Diff(before, tx.StateHash()); diff != "" || tx.HasDomain("one.example") {
			t.Errorf("a dropped command changed the state: %s", diff)
		}
		if index, _ := tx.Applied(); index != 2 {
			t.Errorf("the applied index is %d, not 2", index)
		}
	})
}

func TestScanMergesStagedRows(t *testing.T) {
	st := open(t, t.TempDir())
	write(t, st, 1, func(tx *store.Tx) {
		for _, id := range []string{"a", "c", "e"} {
			tx.PutNode(&registry.Node{ID: id})
		}
	})
	write(t, st, 2, func(tx *store.Tx) {
		tx.PutNode(&registry.Node{ID: "b"})
		tx.PutNode(&registry.Node{ID: "c", RaftAddress: "changed"})
		tx.DeleteNode("e")
		tx.PutNode(&registry.Node{ID: "f"})
		var got []string
		for _, n := range tx.Nodes() {
			got = append(got, n.ID+n.RaftAddress)
		}
		if diff := cmp.Diff([]string{"a", "b", "cchanged", "f"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestStateSurvivesReopenAndRestore(t *testing.T) {
	dir := t.TempDir()
	st := open(t, dir)
	write(t, st, 5, func(tx *store.Tx) { tx.PutDomain(nil, fullDomain()); tx.SetRaftConfiguration([]byte("conf")) })
	if err := st.Flush(); err != nil {
		t.Fatal(err)
	}
	checkpoint := filepath.Join(t.TempDir(), "checkpoint")
	if err := st.Checkpoint(checkpoint); err != nil {
		t.Fatal(err)
	}
	write(t, st, 6, func(tx *store.Tx) { tx.DeleteDomain(fullDomain()) })
	if err := st.Restore(checkpoint); err != nil {
		t.Fatal(err)
	}
	check := func(st *store.Store) {
		t.Helper()
		view(t, st, func(tx *store.ReadTx) {
			index, _ := tx.Applied()
			confIndex, conf := tx.RaftConfiguration()
			if index != 5 || confIndex != 5 || string(conf) != "conf" || !tx.HasDomain("one.example") {
				t.Errorf("restored: index %d, configuration %q of %d", index, conf, confIndex)
			}
			if diff := cmp.Diff(tx.StateHash(), tx.VerifyStateHash()); diff != "" {
				t.Errorf("the state hash is not that of the rows: %s", diff)
			}
		})
	}
	check(st)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	check(open(t, dir))
}

// TestRestoreIsFinishedAfterACrash plays every point at which the swap can be cut off.
func TestRestoreIsFinishedAfterACrash(t *testing.T) {
	for _, cut := range []string{"staged", "old moved away", "new moved in"} {
		t.Run(cut, func(t *testing.T) {
			dir, other := t.TempDir(), t.TempDir()
			st := open(t, dir)
			write(t, st, 1, func(tx *store.Tx) { tx.PutNode(&registry.Node{ID: "old"}) })
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			donor := open(t, other)
			write(t, donor, 9, func(tx *store.Tx) { tx.PutNode(&registry.Node{ID: "new"}) })
			if err := donor.Checkpoint(filepath.Join(dir, "state.new")); err != nil {
				t.Fatal(err)
			}
			rename := func(from, to string) {
				if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
					t.Fatal(err)
				}
			}
			if cut != "staged" {
				rename("state", "state.old")
			}
			if cut == "new moved in" {
				rename("state.new", "state")
			}
			view(t, open(t, dir), func(tx *store.ReadTx) {
				if nodes := tx.Nodes(); len(nodes) != 1 || nodes[0].ID != "new" {
					t.Errorf("after the crash the state holds %v", nodes)
				}
			})
			if _, err := os.Stat(filepath.Join(dir, "state.old")); !os.IsNotExist(err) {
				t.Errorf("state.old is left behind: %v", err)
			}
		})
	}
}

func TestCorruptRowIsAFault(t *testing.T) {
	st := open(t, t.TempDir())
	write(t, st, 1, func(tx *store.Tx) {
		tx.Publish("example", 1, "", []store.OwnerRecords{{Owner: "example", RRs: []byte{1}}})
	})
	err := st.View(func(tx *store.ReadTx) error {
		pubs, reaches := tx.Journal("example", 0)
		if !reaches || len(pubs) != 1 || pubs[0].Serial != 1 {
			t.Errorf("the journal holds %v, %v", pubs, reaches)
		}
		panic(&store.Fault{Op: "read", Err: errors.New("disk gone")})
	})
	var fault *store.Fault
	if !errors.As(err, &fault) {
		t.Errorf("a fault inside a view comes back as %v", err)
	}
}

func TestJournalReach(t *testing.T) {
	st := open(t, t.TempDir())
	for i := range uint64(5) {
		write(t, st, i+1, func(tx *store.Tx) {
			tx.Publish("example", uint32(100+i), "", []store.OwnerRecords{{Owner: "example", RRs: []byte{byte(i)}}})
		})
	}
	view(t, st, func(tx *store.ReadTx) {
		if pubs, reaches := tx.Journal("example", 3); !reaches || len(pubs) != 2 || pubs[1].Serial != 104 {
			t.Errorf("after 3: %v %v", pubs, reaches)
		}
		if pubs, reaches := tx.Journal("example", 5); !reaches || len(pubs) != 0 {
			t.Errorf("after 5: %v %v", pubs, reaches)
		}
		if _, reaches := tx.Journal("example", 7); reaches {
			t.Error("the journal claims to reach a publication that is still to come")
		}
	})
}
