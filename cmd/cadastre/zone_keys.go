package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/miekg/dns"

	"cadastre/cluster"
	"cadastre/dnssec"
	"cadastre/keystore"
	"cadastre/publisher"
	"cadastre/registry"
)

const (
	// sealCredential is the name under which a service manager may give the seal key.
	sealCredential = "cadastre-seal-key"
	// parentTimeout bounds one question to the parent.
	parentTimeout = 5 * time.Second
)

// openKeys opens the private keys of zones on this node.
func (n *node) openKeys() (err error) {
	seal := n.cfg.Keys.SealFile
	if folder := os.Getenv("CREDENTIALS_DIRECTORY"); seal == "" && folder != "" {
		if _, err := os.Stat(filepath.Join(folder, sealCredential)); err == nil {
			seal = filepath.Join(folder, sealCredential)
		}
	}
	files, err := keystore.Open(n.cfg.keysDir(), seal)
	if err != nil {
		return fmt.Errorf("key \"keys.seal_file\": %w", err)
	}
	if n.cfg.Keys.PKCS11.Module != "" {
		// A token that is out of reach does not keep the node from starting: it serves, alarms, and tries again.
		if n.token, err = keystore.OpenToken(n.cfg.Keys.PKCS11.token()); err != nil {
			if n.token == nil {
				return fmt.Errorf("key \"keys.pkcs11\": %w", err)
			}
			n.logger.Error("the token of zone keys is out of reach; it is tried again when a key is needed", "part", "keys", "error", err)
		}
	}
	n.keys = keystore.NewKeys(files, n.token)
	n.custodian = cluster.NewKeyCustodian(cluster.KeyCustodianConfig{
		NodeID: n.cfg.NodeID, Store: n.store, Keys: n.keys, Peers: n.peers, Log: n.logger.With("part", "keys"),
	})
	return nil
}

func (n *node) newKeeper() *publisher.Keeper {
	return publisher.NewKeeper(publisher.KeeperConfig{
		Proposer: n.raft, Viewer: n.store, Custody: n.keys, Held: n.custodian.HeldByMajority, ParentTags: parentKeys,
		Logger: n.logger.With("part", "keys"),
	})
}

// parentKeys asks the server for the zone's DS set and returns the ids of those keys that it points to.
func parentKeys(ctx context.Context, server string, tld *registry.TLD, keys []registry.ZoneKey) ([]string, error) {
	query := new(dns.Msg).SetQuestion(string(tld.Name)+".", dns.TypeDS)
	query.RecursionDesired = true
	client := &dns.Client{Net: "tcp", Timeout: parentTimeout}
	reply, _, err := client.ExchangeContext(ctx, query, server)
	if err != nil {
		return nil, err
	}
	if reply.Rcode != dns.RcodeSuccess {
		return nil, fmt.Errorf("the answer is %s", dns.RcodeToString[reply.Rcode])
	}
	var seen []string
	for i := range keys {
		want := dnssec.DelegationSigner(tld, &keys[i])
		for _, rr := range reply.Answer {
			if ds, ok := rr.(*dns.DS); ok && ds.KeyTag == want.KeyTag && ds.Algorithm == want.Algorithm && matchesKey(ds, dnssec.Record(tld, &keys[i])) {
				seen = append(seen, keys[i].ID)
				break
			}
		}
	}
	return seen, nil
}

// matchesKey says whether a DS record of whatever digest is of the key.
func matchesKey(ds *dns.DS, key *dns.DNSKEY) bool {
	want := key.ToDS(ds.DigestType)
	if want == nil {
		return false
	}
	have, err := hex.DecodeString(ds.Digest)
	return err == nil && strings.EqualFold(want.Digest, hex.EncodeToString(have))
}
