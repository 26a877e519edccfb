package main

import (
	"context"
	"crypto/tls"
	"fmt"

	"cadastre/cluster"
	"cadastre/fsm/fsmpb"
	"cadastre/rdap"
	"cadastre/registry"
)

// openRDAP builds the RDAP server and takes its ports.
func (n *node) openRDAP(g *gateway) (err error) {
	c := &n.cfg.RDAP
	var getCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	if c.TLSCert != "" {
		files := &certificateFiles{cert: c.TLSCert, key: c.TLSKey}
		if _, err := files.get(nil); err != nil {
			return fmt.Errorf("rdap (keys %q and %q): %w", "rdap.tls_cert", "rdap.tls_key", err)
		}
		getCertificate = files.get
	}
	n.rdap, err = rdap.New(rdap.Config{
		Address: c.Listen, RedirectAddress: c.RedirectListen, TLS: n.creds.PublicServerTLS(getCertificate), BaseURL: c.BaseURL,
		Viewer: n.store, Recorder: &disclosureRecorder{gateway: g, nodeID: n.cfg.NodeID}, Identify: identifyClient,
		Limit: c.RateLimit.limit(), Logger: n.logger.With("service", "rdap"),
	})
	if err != nil {
		return err
	}
	return portError("rdap", "rdap.listen", c.Listen, n.rdap.Listen())
}

// identifyClient tells who a verified client certificate is of.
func identifyClient(state tls.ConnectionState) (registrarID string, fingerprintSHA256 []byte) {
	if len(state.PeerCertificates) == 0 {
		return "", nil
	}
	id, err := cluster.ParseIdentity(state.PeerCertificates[0])
	if err != nil {
		return "", nil
	}
	if id.Kind == cluster.KindRegistrar {
		registrarID = id.Name
	}
	return registrarID, cluster.Fingerprint(state.PeerCertificates[0])
}

// disclosureRecorder puts disclosures into the log.
type disclosureRecorder struct {
	gateway *gateway
	nodeID  string
}

// Record commits the disclosure.
func (r *disclosureRecorder) Record(ctx context.Context, d *registry.Disclosure) error {
	result, err := r.gateway.Propose(ctx, &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "rdap"},
		Body: &fsmpb.Command_DisclosureRecord{DisclosureRecord: &fsmpb.DisclosureRecord{
			GrantId: d.GrantID, Kind: uint32(d.Kind), Key: d.Key, Node: r.nodeID, Address: d.Address,
		}},
	})
	if err != nil {
		return err
	}
	if code := registry.Code(result.GetCode()); !code.IsSuccess() {
		return fmt.Errorf("put the disclosure on record: %w", code)
	}
	return nil
}
