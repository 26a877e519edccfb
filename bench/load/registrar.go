package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cadastre/epp/eppclient"
	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
)

// commandTimeout bounds one command: the servers themselves give up after 30 seconds
// without a leader.
const commandTimeout = 45 * time.Second

// Session is a registrar's session on one node that is opened again when it breaks.
type Session struct {
	cluster   *devcluster.Info
	registrar devcluster.Registrar
	address   string
	client    *eppclient.Client
	count     int
}

// NewSession returns a session of the registrar on the node at the EPP address; it
// connects when it is first used.
func NewSession(info *devcluster.Info, registrar devcluster.Registrar, address string) *Session {
	return &Session{cluster: info, registrar: registrar, address: address}
}

// Close ends the session.
func (s *Session) Close() {
	if s.client != nil {
		_ = s.client.Close() // nothing is pending
		s.client = nil
	}
}

func (s *Session) connect(ctx context.Context) error {
	if s.client != nil {
		return nil
	}
	config, err := eppclient.LoadTLS(s.cluster.CA, s.registrar.Cert, s.registrar.Key)
	if err != nil {
		return err
	}
	client, err := eppclient.Dial(ctx, eppclient.Config{Address: s.address, TLS: config, Timeout: commandTimeout})
	if err != nil {
		return err
	}
	if err := client.Login(ctx, s.registrar.ID, s.registrar.Password); err != nil {
		return errors.Join(err, client.Close())
	}
	s.client = client
	return nil
}

// Do sends one command and returns the answer; after an error the next call connects anew.
func (s *Session) Do(ctx context.Context, body eppxml.Body) (*eppxml.ParsedResponse, error) {
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	s.count++
	response, err := s.client.Do(ctx, body, fmt.Sprintf("load-%06d", s.count))
	if err != nil || response.Code() >= 2500 {
		s.Close()
	}
	return response, err
}

// Create registers a domain delegated to the host and says whether it was acknowledged.
// An error means that it is not known whether the domain was made.
func (s *Session) Create(ctx context.Context, name, host string) (bool, error) {
	response, err := s.Do(ctx, &eppxml.DomainCreate{
		Name: name, NS: &eppxml.NameServers{HostObjs: []string{host}}, AuthInfo: &eppxml.AuthInfo{},
	})
	if err != nil {
		return false, err
	}
	if !response.OK() {
		return false, &eppclient.RefusedError{Command: "create", Response: response}
	}
	return true, nil
}

// CreateSecure is Create for a domain with a DS record.
func (s *Session) CreateSecure(ctx context.Context, name, host string, digest []byte) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	const keyTag, ecdsaP256, sha256 = 1, 13, 2
	ds := eppxml.AppendSecDNSCreate(nil, &eppxml.SecDNS{DS: []eppxml.DSData{{KeyTag: keyTag, Alg: ecdsaP256, DigestType: sha256, Digest: digest}}})
	element, err := eppxml.ParseElement(ds)
	if err != nil {
		return err
	}
	s.count++
	answer, err := s.client.Exchange(ctx, eppxml.AppendCommand(nil, &eppxml.Command{
		Body:       &eppxml.DomainCreate{Name: name, NS: &eppxml.NameServers{HostObjs: []string{host}}, AuthInfo: &eppxml.AuthInfo{}},
		Extensions: []eppxml.Element{element}, ClTRID: fmt.Sprintf("load-%06d", s.count),
	}))
	if err != nil {
		s.Close()
		return err
	}
	response, err := eppxml.ParseResponse(answer)
	if err == nil && !response.OK() {
		err = &eppclient.RefusedError{Command: "create", Response: response}
	}
	return err
}

// CreateHost makes an external host object unless it is there.
func (s *Session) CreateHost(ctx context.Context, name string) error {
	const objectExists = 2302 // RFC 5730 section 3
	response, err := s.Do(ctx, &eppxml.HostCreate{Name: name})
	if err == nil && !response.OK() && response.Code() != objectExists {
		err = &eppclient.RefusedError{Command: "create", Response: response}
	}
	return err
}
