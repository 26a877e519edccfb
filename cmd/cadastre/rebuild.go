package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
	"cadastre/internal/pause"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// rebuildTokenLifetime is long enough to come back to a rebuild that failed for want of
	// something; the token is used within seconds otherwise.
	rebuildTokenLifetime = 24 * time.Hour
	// rebuildLeaderWait bounds waiting for the election after the broken node led.
	rebuildLeaderWait = 20 * time.Second
	// rebuildPoll is how often the members are asked meanwhile.
	rebuildPoll = 200 * time.Millisecond
)

// rebuild replaces the data of a node that does not run by what its peers have.
type rebuild struct {
	cfg    *Config
	creds  *cluster.Credentials
	client *admin
	peer   string // where client is connected to
	reason string
	log    *slog.Logger
	// progress shows how much has arrived; nil shows nothing.
	progress func(cluster.PullProgress)
	journal  *rebuildJournal
	// after is called behind each step, with the journal written; an error ends the run there.
	after func(rebuildStep) error
}

// rebuildFindings is what the cluster says of a node that is to be rebuilt.
type rebuildFindings struct {
	leader  string
	member  bool
	votes   bool
	role    string
	voters  int // others that vote
	answer  int // of these
	sources []string
}

// look asks the cluster. It waits for a leader other than the node itself.
func (r *rebuild) look(ctx context.Context) (*rebuildFindings, error) {
	deadline := time.Now().Add(rebuildLeaderWait)
	for {
		resp, err := r.client.Members(ctx, &clusterpb.MembersRequest{})
		if err != nil {
			return nil, plainError(err)
		}
		found := &rebuildFindings{leader: resp.GetLeaderId()}
		for _, m := range resp.GetMembers() {
			found.add(r.cfg.NodeID, m)
		}
		elected := found.leader != "" && found.leader != r.cfg.NodeID
		if elected || found.votes && found.voters == 0 || time.Now().After(deadline) {
			return found, nil
		}
		if err := pause.For(ctx, rebuildPoll); err != nil {
			return nil, err
		}
	}
}

func (f *rebuildFindings) add(self string, m *clusterpb.Member) {
	if m.GetId() == self {
		f.member, f.votes, f.role = m.GetRole() != 0 || m.GetInRaft(), m.GetVotes(), roleName(m.GetRole())
		return
	}
	if m.GetVotes() {
		f.voters++
		if m.GetReachable() {
			f.answer++
		}
	}
	if m.GetReachable() {
		f.sources = append(f.sources, m.GetId())
	}
}

// refuse says why the node must not be rebuilt now, nil if it may.
func (f *rebuildFindings) refuse(id string) error {
	needed := f.voters/2 + 1
	switch {
	case f.votes && f.voters == 0:
		return fmt.Errorf("node %s is the only voter: no other node may hold what it has acknowledged. Recover its data, or restore a backup (docs/operations.md)", id)
	case f.votes && f.answer < needed:
		return fmt.Errorf("node %s must not be rebuilt now: of the %d other voters only %d answer, and %d are needed to go on without it. Bring the others back first, or recover a lost quorum (docs/operations.md)",
			id, f.voters, f.answer, needed)
	case f.leader == "" || f.leader == id:
		return fmt.Errorf("node %s must not be rebuilt now: the cluster has no leader. Bring the other voters back first, or recover a lost quorum (docs/operations.md)", id)
	case len(f.sources) == 0:
		return fmt.Errorf("no other node answers that could give its state to node %s", id)
	}
	return nil
}

// run does what is not done yet.
func (r *rebuild) run(ctx context.Context) error {
	for _, step := range []struct {
		name rebuildStep
		do   func(context.Context) error
	}{
		{rebuildRemoved, r.removeMember},
		{rebuildInvited, r.invite},
		{rebuildAside, r.setAside},
		{rebuildFetched, r.fetch},
		{rebuildVerified, r.verify},
	} {
		if rebuildIsDone(r.journal.Step, step.name) {
			continue
		}
		if err := step.do(ctx); err != nil {
			if step.name == rebuildVerified { // what was fetched is worth nothing: fetch it once more
				r.journal.Step = rebuildAside
				err = errors.Join(err, r.journal.write(r.cfg))
			}
			return err
		}
		r.journal.Step = step.name
		if err := r.journal.write(r.cfg); err != nil {
			return err
		}
		r.log.Info("rebuild", "step", string(step.name))
		if r.after != nil {
			if err := r.after(step.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// rebuildIsDone says whether a rebuild that is at one step is past the other.
func rebuildIsDone(at, step rebuildStep) bool {
	place := func(s rebuildStep) int {
		for i, name := range []rebuildStep{rebuildPlanned, rebuildRemoved, rebuildInvited, rebuildAside, rebuildFetched, rebuildVerified} {
			if s == name {
				return i
			}
		}
		return 0 // an unknown word: begin with what may be repeated
	}
	return place(at) >= place(step)
}

// removeMember ends the membership under which the damaged data may have promised things:
// a vote in a term, entries on its disk. The leader refuses if a majority would be lost.
func (r *rebuild) removeMember(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	_, err := r.client.Remove(ctx, &clusterpb.RemoveRequest{NodeId: r.cfg.NodeID, Reason: r.reason})
	if err == nil {
		return nil
	}
	switch err := plainError(err); {
	case errors.Is(err, registry.CodeObjectDoesNotExist):
		return nil // by an earlier attempt, perhaps
	case errors.Is(err, registry.CodeStatusProhibits), errors.Is(err, registry.CodeAssociationForbids), errors.Is(err, registry.CodeAuthorization):
		// Nothing was done, so nothing is under way.
		return errors.Join(fmt.Errorf("remove node %s, which is to join anew: %w", r.cfg.NodeID, err), os.Remove(r.cfg.rebuildFile()))
	default:
		return fmt.Errorf("remove node %s, which is to join anew: %w; run this again", r.cfg.NodeID, err)
	}
}

// invite makes the token with which the node joins again.
func (r *rebuild) invite(ctx context.Context) error {
	role, err := parseRole(r.journal.Role)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	response, err := r.client.CreateToken(ctx, &clusterpb.CreateTokenRequest{
		Role: uint32(role), LifetimeSeconds: int64(rebuildTokenLifetime / time.Second), Reason: r.reason,
	})
	if err != nil {
		return fmt.Errorf("make a token for node %s: %w; run this again", r.cfg.NodeID, plainError(err))
	}
	r.journal.Token = response.GetToken()
	return nil
}

// setAside moves the damaged data, and the notes about it, out of the way. Private keys of
// zones stay: each is sealed, and one that is damaged is fetched from another voter.
func (r *rebuild) setAside(context.Context) error {
	aside := filepath.Join(r.cfg.DataDir, r.journal.Aside)
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return fmt.Errorf("set the damaged data aside: %w", err)
	}
	for _, path := range []string{r.cfg.storeDir(), r.cfg.raftDir(), r.cfg.fencedFile(), r.cfg.removedFile()} {
		err := os.Rename(path, filepath.Join(aside, filepath.Base(path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // it was moved before, or never was
			return fmt.Errorf("set the damaged data aside: %w", err)
		}
	}
	return errors.Join(syncFolder(aside), syncFolder(r.cfg.DataDir))
}

// fetch joins with the token and fetches the state. What an attempt before has put in
// place is kept if it is sound.
func (r *rebuild) fetch(ctx context.Context) error {
	if r.verify(ctx) == nil {
		return nil
	}
	if err := r.join(ctx); err != nil {
		if !errors.Is(err, registry.CodeAuthorization) {
			return fmt.Errorf("%w; what was there is kept in %s; run this again", err, r.journal.Aside)
		}
		// The token has expired, or the node was removed once more: a new one is needed.
		if err := r.invite(ctx); err != nil {
			return err
		}
		if err := r.journal.write(r.cfg); err != nil {
			return err
		}
		if err := r.join(ctx); err != nil {
			return fmt.Errorf("%w; what was there is kept in %s; run this again", err, r.journal.Aside)
		}
	}
	return nil
}

func (r *rebuild) join(ctx context.Context) error {
	if err := r.dropUnsound(); err != nil {
		return err
	}
	_, err := cluster.JoinCluster(ctx, cluster.JoinConfig{
		Credentials: r.creds, PeerAddress: r.peer, Token: r.journal.Token,
		RaftAddress: r.cfg.advertisedRaft(), GRPCAddress: r.cfg.advertisedGRPC(),
		StoreDir: r.cfg.storeDir(), RaftDir: r.cfg.raftDir(), Progress: r.progress, Log: r.log,
		BytesPerSecond: r.cfg.Seed.receiveBytes(),
	})
	return err
}

// dropUnsound removes a state that an earlier attempt put in place and that does not verify;
// what only arrived in part stays and is used.
func (r *rebuild) dropUnsound() error {
	st, err := store.Open(r.cfg.storeDir())
	if err == nil {
		var applied uint64
		err = st.View(func(tx *store.ReadTx) error {
			applied, _ = tx.Applied()
			return nil
		})
		if err = errors.Join(err, st.Close()); err == nil && applied == 0 {
			return nil
		}
	}
	if err := os.RemoveAll(r.cfg.storeDir()); err != nil {
		return fmt.Errorf("remove a state that did not verify: %w", err)
	}
	return nil
}

// verify reads the new state back from this disk and recomputes its hash from every row.
func (r *rebuild) verify(context.Context) error {
	if _, err := os.Stat(r.cfg.storeDir()); err != nil {
		return fmt.Errorf("there is no new state: %w", err)
	}
	st, err := store.Open(r.cfg.storeDir())
	if err != nil {
		return fmt.Errorf("the state that was fetched cannot be read back from this disk: %w", err)
	}
	state, err := cluster.VerifyOpenState(st)
	if err = errors.Join(err, st.Close()); err != nil {
		return fmt.Errorf("the state that was fetched cannot be read back from this disk: %w", err)
	}
	if state.ClusterID != r.creds.ClusterID() || state.AppliedIndex == 0 {
		return fmt.Errorf("%s holds no state of cluster %s", r.cfg.storeDir(), r.creds.ClusterID())
	}
	return nil
}

// finish removes what was set aside, unless it is to be kept, and the journal last.
func (r *rebuild) finish(keep bool) error {
	if !keep {
		if err := os.RemoveAll(filepath.Join(r.cfg.DataDir, r.journal.Aside)); err != nil {
			return fmt.Errorf("remove the damaged data: %w", err)
		}
	}
	if err := os.Remove(r.cfg.rebuildFile()); err != nil {
		return fmt.Errorf("end the rebuild: %w", err)
	}
	return syncFolder(r.cfg.DataDir)
}

// requireStopped sees that nothing listens where the node would: a program without the lock
// on the data folder may run on it.
func requireStopped(ctx context.Context, cfg *Config) error {
	for _, a := range []addressKey{{"raft.listen", cfg.Raft.Listen}, {"grpc.listen", cfg.GRPC.Listen}} {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.address)
		if err != nil {
			return fmt.Errorf("node %s has to be stopped first: %w", cfg.NodeID, portError("port", a.key, a.address, err))
		}
		_ = listener.Close() // nothing was accepted
	}
	return nil
}
