package main

import (
	"context"
	"time"

	"cadastre/cluster"
	"cadastre/epp/eppclient"
)

const (
	eppDialTimeout = 10 * time.Second
	// eppAnswerTimeout covers an election while a command is under way.
	eppAnswerTimeout = 60 * time.Second
)

// dialEPP connects to an EPP server and reads the greeting.
func dialEPP(ctx context.Context, address string, paths cluster.Paths) (*eppclient.Client, error) {
	config, err := eppclient.LoadTLS(paths.CA, paths.Certificate, paths.Key)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, eppDialTimeout)
	defer cancel()
	return eppclient.Dial(ctx, eppclient.Config{Address: address, TLS: config, Timeout: eppAnswerTimeout})
}

// loginEPP opens a session.
func loginEPP(ctx context.Context, address string, paths cluster.Paths, id, password string) (*eppclient.Client, error) {
	client, err := dialEPP(ctx, address, paths)
	if err != nil {
		return nil, err
	}
	if err := client.Login(ctx, id, password); err != nil {
		_ = client.Close() // the refusal counts
		return nil, err
	}
	return client, nil
}

// newClTRID returns a client transaction identifier.
func newClTRID() string { return "CLI-" + newROIDPart() }
