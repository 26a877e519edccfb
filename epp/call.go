package epp

import (
	"context"
	"fmt"

	"cadastre/epp/eppxml"
	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// call is one command being answered.
type call struct {
	server    *Server
	registrar registry.RegistrarID
	clTRID    string
	// extensions is what the command carries beside its body.
	extensions commandExtensions
	// services are what the session may use.
	services *services
	// object names what the command is about, for errors: a domain's name element, or the
	// command itself.
	object eppxml.Value
	// level is the feature level of the cluster: what may be in the log.
	level uint32
	// queue is how the registrar's messages stood where the command was answered.
	queue registry.PollQueue
	// wrongAttempt is the object of another registrar at whose authorisation information the
	// command failed.
	wrongAttempt registry.ROID
	// svTRID is set once the command has its place in the log.
	svTRID string
}

// view runs fn over a state that holds everything acknowledged before the command came.
func (c *call) view(ctx context.Context, fn func(tx *store.ReadTx) error) error {
	err := c.server.cfg.Reader.View(ctx, store.Linearizable, func(tx *store.ReadTx) error {
		if c.registrar != "" {
			c.queue = tx.PollQueue(c.registrar)
		}
		return fn(tx)
	})
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	return nil
}

// propose has the command done and returns its result. The error is a *registry.Error if
// the command was refused here or where it was applied.
func (c *call) propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	command.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, Id: string(c.registrar)}
	command.Cltrid = c.clTRID
	if err := fsm.Validate(command); err != nil {
		return nil, err
	}
	result, err := c.server.cfg.Proposer.Propose(ctx, command)
	if err != nil {
		return nil, fmt.Errorf("propose %s: %w", fsm.Verb(command), err)
	}
	c.svTRID = logTRID(result)
	c.queue = registry.PollQueue{Count: result.GetQueueCount(), Head: result.GetQueueHead()}
	return result, fsm.ResultError(result)
}

// done answers a transform that was done.
func (c *call) done(result *fsmpb.Result, data []byte) *answer {
	return &answer{code: resultCode(registry.Code(result.GetCode())), data: data, svTRID: c.svTRID}
}

// transform has a command done that has no response data.
func (c *call) transform(ctx context.Context, command *fsmpb.Command) (*answer, error) {
	result, err := c.propose(ctx, command)
	if err != nil {
		return nil, err
	}
	return c.done(result, nil), nil
}

func refuse(code registry.Code, field, value, reason string, args ...any) error {
	return &registry.Error{Code: code, Field: field, Value: value, Reason: fmt.Sprintf(reason, args...)}
}
