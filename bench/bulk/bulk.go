// Package bulk fills the state of nodes that do not run with a registry of any size, by
// the same commands that registrars send but without a log: a million domains take minutes
// rather than hours. Restarted on the result, nodes go on as after the install of a
// checkpoint.
package bulk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// commandsPerEntry and entriesPerBatch are what a busy leader makes of its load.
	commandsPerEntry = 32
	entriesPerBatch  = 32
	// dirtyBeforePublication is how many domains are made between two publications.
	dirtyBeforePublication = 4096
	// queuedBatches is how far the making of commands runs ahead of applying them.
	queuedBatches = 4
)

// Config says how to fill a state.
type Config struct {
	// StoreDir is the folder of a node's store; the node must not run. Without a TLD in it,
	// "example" is made, and without a registrar, "registrar-a".
	StoreDir string
	// Domains is how many to make. Their names are Name(0), Name(1) and so on.
	Domains int
	// Seed chooses the contents: equal seeds over equal states make equal states.
	Seed uint64
	// At is when the domains are registered; default now. Registry time never goes back, so
	// that an earlier time has no effect on a state that is past it.
	At time.Time
	// Progress is called now and then with the domains made so far; nil is allowed.
	Progress func(domains int)
}

// Filled is what was made.
type Filled struct {
	TLD                      registry.DomainName
	Registrar                registry.RegistrarID
	Domains, Hosts, Contacts int
	Index, Term              uint64
	Publications             int
	Took                     time.Duration
}

// Name returns the label of domain i.
func Name(i int) string { return fmt.Sprintf("bulk-%07d", i) }

// filler applies commands to one state.
type filler struct {
	cfg         Config
	store       *store.Store
	machine     *fsm.Machine
	tld         *registry.TLD
	registrar   registry.RegistrarID
	index, term uint64
	now         time.Time
}

// Fill makes the domains in the state.
func Fill(ctx context.Context, cfg Config) (filled *Filled, err error) {
	if cfg.Domains < 1 {
		return nil, fmt.Errorf("fill: %d domains, want at least one", cfg.Domains)
	}
	if cfg.At.IsZero() {
		cfg.At = time.Now()
	}
	started := time.Now()
	st, err := store.Open(cfg.StoreDir)
	if err != nil {
		return nil, fmt.Errorf("fill: %w", err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	f := &filler{cfg: cfg, store: st, machine: fsm.New(st), now: cfg.At}
	if err := f.prepare(); err != nil {
		return nil, fmt.Errorf("fill %s: %w", cfg.StoreDir, err)
	}
	filled = &Filled{TLD: f.tld.Name, Registrar: f.registrar, Domains: cfg.Domains}
	if err := f.fill(ctx, filled); err != nil {
		return nil, fmt.Errorf("fill %s: %w", cfg.StoreDir, err)
	}
	filled.Index, filled.Term, filled.Took = f.index, f.term, time.Since(started)
	return filled, st.Flush()
}

// prepare finds or makes the TLD and the registrar and gives it enough money.
func (f *filler) prepare() error {
	err := f.store.View(func(tx *store.ReadTx) error {
		f.index, f.term = tx.Applied()
		if now := tx.Now(); now.After(f.now) {
			f.now = now
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.term = max(f.term, 1)
	if err := f.findOrMake(); err != nil {
		return err
	}
	deposit := int64(f.cfg.Domains) * (f.tld.Policy.CreatePriceMinor + 1) * maxYears
	return f.apply(operator(&fsmpb.Command{Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: &fsmpb.RegistrarUpdate{
		Id: string(f.registrar), DepositMinor: &deposit,
	}}}))
}

func (f *filler) findOrMake() error {
	for range 2 {
		err := f.store.View(func(tx *store.ReadTx) error {
			for _, r := range tx.Registrars() {
				for _, name := range r.TLDs {
					if tld, ok := tx.TLD(name); ok {
						f.tld, f.registrar = tld, r.ID
						return nil
					}
				}
			}
			return nil
		})
		if err != nil || f.tld != nil {
			return err
		}
		if err := f.apply(firstTLD(), firstRegistrar()); err != nil {
			return err
		}
	}
	return errors.New("the state has no registrar that is accredited for a TLD")
}

func (f *filler) fill(ctx context.Context, filled *Filled) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	commands := make(chan []*fsmpb.Command, queuedBatches)
	maker := newMaker(f.cfg.Seed, f.tld, f.registrar)
	go func() {
		defer close(commands)
		maker.run(ctx, f.cfg.Domains, commands)
	}()
	defer func() {
		for range commands { // until the maker, told by cancel, has ended
			continue
		}
	}()
	made, unpublished := 0, 0
	for batch := range commands {
		if err := f.apply(batch...); err != nil {
			return err
		}
		domains := countDomains(batch)
		made, unpublished = made+domains, unpublished+domains
		if unpublished >= dirtyBeforePublication || made == f.cfg.Domains {
			publications, err := f.publish()
			if err != nil {
				return err
			}
			filled.Publications += publications
			unpublished = 0
		}
		if f.cfg.Progress != nil {
			f.cfg.Progress(made)
		}
		if made == f.cfg.Domains {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	filled.Hosts, filled.Contacts = maker.hosts, maker.contacts
	return nil
}

// apply puts the commands into entries as a leader would and applies them in one batch.
func (f *filler) apply(commands ...*fsmpb.Command) error {
	var entries []fsm.Entry
	index := f.index
	for start := 0; start < len(commands); start += commandsPerEntry {
		data, err := proto.Marshal(&fsmpb.Envelope{
			FormatVersion: fsm.FormatVersion, LeaderTimeMs: f.now.UnixMilli(),
			Commands: commands[start:min(start+commandsPerEntry, len(commands))],
		})
		if err != nil {
			return err
		}
		index++
		entries = append(entries, fsm.Entry{Index: index, Term: f.term, Data: data})
	}
	results, _ := f.machine.Apply(entries)
	f.index = index
	for i, list := range results {
		for j, r := range list {
			if err := fsm.ResultError(r); err != nil {
				return fmt.Errorf("%s: %w", fsm.Verb(commands[i*commandsPerEntry+j]), err)
			}
		}
	}
	return nil
}

// Share gives the state in fromDir to the nodes with the store folders toDirs, none of
// which may run. Their logs then begin after it.
func Share(fromDir string, toDirs ...string) (err error) {
	st, err := store.Open(fromDir)
	if err != nil {
		return fmt.Errorf("share %s: %w", fromDir, err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	for _, to := range toDirs {
		if err := os.RemoveAll(to); err != nil {
			return fmt.Errorf("share: remove the old state: %w", err)
		}
		if err := os.MkdirAll(to, 0o700); err != nil {
			return fmt.Errorf("share: %w", err)
		}
		if err := st.Checkpoint(filepath.Join(to, stateDirName)); err != nil {
			return fmt.Errorf("share %s with %s: %w", fromDir, to, err)
		}
	}
	return nil
}

// stateDirName is the name under which store finds a state in its folder.
const stateDirName = "state"
