package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// maxZoneExports bounds the exports at a time: each keeps old versions of rows on disk.
	maxZoneExports = 4
	// maxZoneExportTime bounds one export, as that of a transfer: ten million names over 20 Mbit/s.
	maxZoneExportTime = 30 * time.Minute
	// zoneChunkOctets is the size of a message of an export.
	zoneChunkOctets = 256 << 10
	// maxImportCommands bounds one call of ZoneImport.
	maxImportCommands = 1000
	// importConcurrency is how many commands of one call are under way: some entries' worth.
	importConcurrency = 256
	// maxImportTime bounds one call, an election included.
	maxImportTime = time.Minute
)

// ZoneSecondaries tells what this node knows of its secondaries.
func (s *adminService) ZoneSecondaries(context.Context, *clusterpb.ZoneSecondariesRequest) (*clusterpb.ZoneSecondariesResponse, error) {
	out := &clusterpb.ZoneSecondariesResponse{NodeId: s.nodeID}
	if s.secondaries != nil {
		out.Secondaries = s.secondaries()
	}
	return out, nil
}

// ZoneExport sends a published zone in one state.
func (s *adminService) ZoneExport(req *clusterpb.ZoneExportRequest, stream grpc.ServerStreamingServer[clusterpb.ZoneExportChunk]) error {
	tld, err := registry.ParseDomainName(req.GetTld())
	if err != nil {
		return err
	}
	select {
	case s.zoneExports <- struct{}{}:
		defer func() { <-s.zoneExports }()
	default:
		return refuse(registry.CodeUnavailable, "tld", string(tld), fmt.Sprintf("this node sends %d zones already", maxZoneExports))
	}
	ctx, cancel := context.WithTimeout(stream.Context(), maxZoneExportTime)
	defer cancel()
	return s.store.LongView(ctx, func(ctx context.Context, tx *store.ReadTx) error {
		state := tx.ZoneState(tld)
		if state.Publications == 0 {
			return refuse(registry.CodeObjectDoesNotExist, "tld", string(tld), "no such zone is published here")
		}
		e := &zoneExport{ctx: ctx, stream: stream, serial: state.Serial}
		tx.EachPublished(tld, func(o store.OwnerRecords) bool { return e.add(o.RRs) })
		if e.err == nil {
			tx.EachNSEC3(tld, e.add)
		}
		if e.err == nil {
			e.flush(true)
		}
		return e.err
	})
}

// zoneExport is an export being sent.
type zoneExport struct {
	ctx    context.Context
	stream grpc.ServerStreamingServer[clusterpb.ZoneExportChunk]
	serial uint32
	buf    []byte
	owners uint64
	err    error
}

// add takes the records of one owner; false says that it is over.
func (e *zoneExport) add(rrs []byte) bool {
	e.buf = append(e.buf, rrs...)
	e.owners++
	if len(e.buf) >= zoneChunkOctets {
		e.flush(false)
	}
	return e.err == nil
}

func (e *zoneExport) flush(done bool) {
	if e.err = e.ctx.Err(); e.err != nil {
		return
	}
	e.err = e.stream.Send(&clusterpb.ZoneExportChunk{Serial: e.serial, Rrs: e.buf, Done: done, Owners: e.owners})
	e.buf = nil // the message may still be on its way
}

// ZoneImport commits imports, each for itself: some may be refused and others not. When it returns an error, some may be
// done; they can all be sent again.
func (s *adminService) ZoneImport(ctx context.Context, req *clusterpb.ZoneImportRequest) (*clusterpb.ZoneImportResponse, error) {
	if n := len(req.GetCommands()); n > maxImportCommands {
		return nil, refuse(registry.CodeParameterRange, "commands", fmt.Sprint(n), fmt.Sprintf("one call imports at most %d objects", maxImportCommands))
	}
	if err := checkReason(req.GetReason()); err != nil {
		return nil, err
	}
	for _, c := range req.GetCommands() {
		if err := nameImported(c); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, maxImportTime)
	defer cancel()
	actor := operator(ctx)
	results := make([]*fsmpb.Result, len(req.GetCommands()))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(importConcurrency)
	for i, c := range req.GetCommands() {
		group.Go(func() error {
			result, err := s.forwarder.Propose(ctx, &fsmpb.Command{Actor: actor, Reason: req.GetReason(), Body: c.GetBody()})
			if refused, ok := errors.AsType[*registry.Error](err); ok && isShapeError(refused.Code) {
				result, err = refusedResult(refused), nil
			}
			results[i] = result
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return &clusterpb.ZoneImportResponse{Results: results}, nil
}

// isShapeError tells an object that can never be imported from a cluster that cannot do it now.
func isShapeError(code registry.Code) bool {
	switch code {
	case registry.CodeParameterSyntax, registry.CodeParameterRange, registry.CodeParameterPolicy, registry.CodeParameterMissing:
		return true
	default:
		return false
	}
}

func refusedResult(e *registry.Error) *fsmpb.Result {
	return &fsmpb.Result{Code: uint32(e.Code), Errors: []*fsmpb.FieldError{{Field: e.Field, Value: e.Value, Reason: e.Reason}}}
}

// nameImported gives the objects that an import makes their identifiers, and refuses other commands.
func nameImported(command *fsmpb.Command) error {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_HostImport:
		body.HostImport.Roid = newROIDPart()
	case *fsmpb.Command_DomainImport:
		body.DomainImport.Roid = newROIDPart()
		for _, h := range body.DomainImport.GetHosts() {
			h.Roid = newROIDPart()
		}
	default:
		return refuse(registry.CodeAuthorization, "command", "", "this is not an import")
	}
	return nil
}

// roidOctets of entropy keep identifiers apart.
const roidOctets = 8

func newROIDPart() string {
	var b [roidOctets]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return strings.ToUpper(hex.EncodeToString(b[:]))
}
