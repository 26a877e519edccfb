package cluster

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// custodyInterval is how often a voter looks for keys that it lacks.
	custodyInterval = time.Second
	// keyCallTimeout bounds one question to one voter.
	keyCallTimeout = 2 * time.Second
	// maxPrivateKeyOctets bounds what is taken from another voter; RSA-4096 has some 2400.
	maxPrivateKeyOctets = 8 << 10
)

// KeyStore keeps the private halves of zone keys on this node.
type KeyStore interface {
	// Enabled says whether the node can keep keys at all; if not, the others fail.
	Enabled() bool
	Generate(tld registry.DomainName, role registry.KeyRole, algorithm uint8) (*registry.ZoneKey, error)
	// Put and Private take and give the private half in PKCS #8.
	Put(k *registry.ZoneKey, private []byte) error
	Private(k *registry.ZoneKey) ([]byte, error)
	Has(k *registry.ZoneKey) bool
	Delete(k *registry.ZoneKey) error
	// IsShared says whether other voters use the same copy, in a token.
	IsShared(k *registry.ZoneKey) bool
}

// KeyCustodianConfig says what a KeyCustodian works with. Without Keys it does nothing.
type KeyCustodianConfig struct {
	NodeID string
	Store  *store.Store
	Keys   KeyStore
	Peers  *Peers
	Log    *slog.Logger
}

// KeyCustodian sees that every voter has the private halves of the keys of the state, and no other node.
type KeyCustodian struct{ cfg KeyCustodianConfig }

// NewKeyCustodian returns a custodian that does not run yet.
func NewKeyCustodian(cfg KeyCustodianConfig) *KeyCustodian { return &KeyCustodian{cfg: cfg} }

// Run fetches and deletes keys until ctx is done.
func (c *KeyCustodian) Run(ctx context.Context) error {
	ticker := time.NewTicker(custodyInterval)
	defer ticker.Stop()
	said := make(map[string]bool) // what was warned of, so that it is said once
	for {
		if c.enabled() {
			c.round(ctx, said)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (c *KeyCustodian) enabled() bool { return c.cfg.Keys != nil && c.cfg.Keys.Enabled() }

// custody is what the state says of keys and voters.
type custody struct {
	keys    []registry.ZoneKey
	voters  []string // all
	isVoter bool     // this node
}

func (c *KeyCustodian) read() (custody, error) {
	var out custody
	err := c.cfg.Store.View(func(tx *store.ReadTx) error {
		for _, tld := range tx.TLDs() {
			out.keys = append(out.keys, tx.ZoneKeys(tld.Name)...)
		}
		for _, node := range tx.Nodes() {
			if node.Role == registry.RoleVoter {
				out.voters = append(out.voters, node.ID)
				out.isVoter = out.isVoter || node.ID == c.cfg.NodeID
			}
		}
		return nil
	})
	return out, err
}

func (c *KeyCustodian) round(ctx context.Context, said map[string]bool) {
	now, err := c.read()
	if err != nil {
		c.cfg.Log.Warn("could not look for keys of zones", "error", err)
		return
	}
	for i := range now.keys {
		k := &now.keys[i]
		if !now.isVoter && c.cfg.Keys.IsShared(k) {
			continue // the voters need it
		}
		if !now.isVoter || k.State == registry.KeyRemoved {
			if err := c.cfg.Keys.Delete(k); err != nil && !said[k.ID] {
				c.cfg.Log.Error("could not delete a private key, trying on", "tld", k.TLD, "key", k.ID, "error", err)
				said[k.ID] = true
			}
			continue
		}
		if c.cfg.Keys.Has(k) {
			continue
		}
		if err := c.fetch(ctx, &now, k); err != nil {
			if !said[k.ID] {
				c.cfg.Log.Warn("a key of a zone is not on this voter and no other gave it", "tld", k.TLD, "key", k.ID, "tag", k.Tag, "error", err)
			}
			said[k.ID] = true
			continue
		}
		delete(said, k.ID)
		c.cfg.Log.Info("took over a key of a zone", "tld", k.TLD, "key", k.ID, "tag", k.Tag)
	}
}

// fetch asks the other voters in turn.
func (c *KeyCustodian) fetch(ctx context.Context, now *custody, k *registry.ZoneKey) error {
	err := refuse(registry.CodeObjectDoesNotExist, "key", k.ID, "there is no other voter to ask")
	for _, voter := range now.voters {
		if voter == c.cfg.NodeID {
			continue
		}
		var private []byte
		if private, err = c.cfg.Peers.fetchKey(ctx, voter, k); err == nil {
			err = c.cfg.Keys.Put(k, private)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// holders returns which voters have which keys, as far as they answer.
func (c *KeyCustodian) holders(ctx context.Context) (map[string][]string, int, error) {
	now, err := c.read()
	if err != nil {
		return nil, 0, err
	}
	out := make(map[string][]string)
	for _, voter := range now.voters {
		var held []string
		if voter == c.cfg.NodeID {
			held = c.held(now.keys)
		} else if held, err = c.cfg.Peers.keysHeld(ctx, voter); err != nil {
			continue // counts as none
		}
		for _, id := range held {
			out[id] = append(out[id], voter)
		}
	}
	return out, len(now.voters), nil
}

// held lists the keys that are here.
func (c *KeyCustodian) held(keys []registry.ZoneKey) (ids []string) {
	if !c.enabled() {
		return nil
	}
	for i := range keys {
		if keys[i].State != registry.KeyRemoved && c.cfg.Keys.Has(&keys[i]) {
			ids = append(ids, keys[i].ID)
		}
	}
	return ids
}

// HeldByMajority says of a key whether so many voters have it that each majority of them has one that does.
func (c *KeyCustodian) HeldByMajority(ctx context.Context, id string) bool {
	holders, voters, err := c.holders(ctx)
	return err == nil && len(holders[id]) > voters/2
}

// fetchKey and keysHeld are the calls KeyFetch and KeyHeld of the Peer service.

func (p *Peers) fetchKey(ctx context.Context, nodeID string, k *registry.ZoneKey) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, keyCallTimeout)
	defer cancel()
	client, err := p.client(ctx, nodeID)
	if err != nil {
		return nil, err
	}
	resp, err := client.KeyFetch(ctx, &clusterpb.KeyFetchRequest{Tld: string(k.TLD), Id: k.ID})
	if err != nil {
		return nil, ErrorFromStatus(err)
	}
	if len(resp.GetPrivateKey()) > maxPrivateKeyOctets {
		return nil, refuse(registry.CodeParameterRange, "key", k.ID, "the answer is longer than any key")
	}
	return resp.GetPrivateKey(), nil
}

func (p *Peers) keysHeld(ctx context.Context, nodeID string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, keyCallTimeout)
	defer cancel()
	client, err := p.client(ctx, nodeID)
	if err != nil {
		return nil, err
	}
	resp, err := client.KeyHeld(ctx, &clusterpb.KeyHeldRequest{})
	return resp.GetIds(), ErrorFromStatus(err)
}

// requireVoters refuses unless both the caller and this node are voters by the newest state: nobody else is to have
// private keys.
func (s *Server) requireVoters(ctx context.Context) error {
	return s.readNewest(ctx, func(tx *store.ReadTx) error {
		for _, id := range []string{caller(ctx).Name, s.nodeID} {
			node, known := tx.Node(id)
			if !known || node.Role != registry.RoleVoter {
				return refuse(registry.CodeAuthorization, "node", id, "keys of zones are for voters only")
			}
		}
		return nil
	})
}

// KeyFetch hands a private half to another voter.
func (s *peerService) KeyFetch(ctx context.Context, req *clusterpb.KeyFetchRequest) (*clusterpb.KeyFetchResponse, error) {
	if err := s.requireVoters(ctx); err != nil {
		return nil, err
	}
	if !s.custodian.enabled() {
		return nil, refuse(registry.CodeObjectDoesNotExist, "key", req.GetId(), "this node keeps no keys")
	}
	now, err := s.custodian.read()
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(now.keys, func(k registry.ZoneKey) bool {
		return k.ID == req.GetId() && string(k.TLD) == req.GetTld() && k.State != registry.KeyRemoved
	})
	if at < 0 || !s.custodian.cfg.Keys.Has(&now.keys[at]) {
		return nil, refuse(registry.CodeObjectDoesNotExist, "key", req.GetId(), "the key is not on this node")
	}
	private, err := s.custodian.cfg.Keys.Private(&now.keys[at])
	if err != nil {
		return nil, err
	}
	s.log.Info("gave a key of a zone to another voter", "tld", req.GetTld(), "key", req.GetId(), "to", caller(ctx).Name)
	return &clusterpb.KeyFetchResponse{PrivateKey: private}, nil
}

// KeyHeld lists the keys that are here.
func (s *peerService) KeyHeld(ctx context.Context, _ *clusterpb.KeyHeldRequest) (*clusterpb.KeyHeldResponse, error) {
	if err := s.requireVoters(ctx); err != nil {
		return nil, err
	}
	now, err := s.custodian.read()
	if err != nil {
		return nil, err
	}
	return &clusterpb.KeyHeldResponse{Ids: s.custodian.held(now.keys)}, nil
}
