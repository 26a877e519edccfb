package bulk

import (
	"fmt"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
	"cadastre/zone"
)

// maxOwners is how many names one publication takes: as many as the publisher's.
const maxOwners = 1000

// publish publishes everything that is dirty and returns how many publications that took.
func (f *filler) publish() (count int, err error) {
	for {
		var commands []*fsmpb.Command
		err := f.store.View(func(tx *store.ReadTx) error {
			for _, tld := range tx.TLDs() {
				if tld.Policy.Signing.Denial != registry.DenialNone {
					continue // only a node with keys can; it begins when it leads
				}
				c, err := publication(tx, tld)
				if err != nil {
					return err
				}
				if c != nil {
					commands = append(commands, c)
				}
			}
			return nil
		})
		if err != nil {
			return count, fmt.Errorf("compute a publication: %w", err)
		}
		if len(commands) == 0 {
			return count, nil
		}
		if err := f.apply(commands...); err != nil {
			return count, err
		}
		count += len(commands)
	}
}

// publication brings some dirty names of the zone up to date; nil if there are none.
func publication(tx *store.ReadTx, tld *registry.TLD) (*fsmpb.Command, error) {
	owners := tx.Dirty(tld.Name, maxOwners)
	if len(owners) == 0 {
		return nil, nil
	}
	current := tx.ZoneState(tld.Name)
	readIndex, _ := tx.Applied()
	serial := current.Serial + 1
	if current.Publications == 0 {
		serial = uint32(tx.Now().Unix())
	}
	c := &fsmpb.ZonePublish{Tld: string(tld.Name), BaseSerial: current.Serial, Serial: serial, ReadIndex: readIndex}
	add := func(owner registry.DomainName) error {
		rrs, err := zone.Records(tx, tld, owner, serial)
		c.Changes = append(c.Changes, &fsmpb.OwnerChange{Owner: string(owner), Rrs: rrs})
		return err
	}
	for _, owner := range owners {
		c.Cleaned = append(c.Cleaned, string(owner))
		if owner == tld.Name {
			continue
		}
		if err := add(owner); err != nil {
			return nil, err
		}
	}
	if err := add(tld.Name); err != nil {
		return nil, err
	}
	return &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "publisher"},
		Body:  &fsmpb.Command_ZonePublish{ZonePublish: c},
	}, nil
}
