package cluster

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// realCluster is nodes in processes of their own, and an operator.
type realCluster struct {
	root     *testing.T // whose end ends the processes
	ca       *CA
	operator *Credentials
	children map[string]*child
}

func (c *realCluster) admin(t *testing.T, id string) clusterpb.AdminClient {
	t.Helper()
	conn, err := Dial(c.operator, id, c.children[id].GRPC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the test is over
	return clusterpb.NewAdminClient(conn)
}

// members returns the list that node id gives, or nil.
func (c *realCluster) members(t *testing.T, id string) *clusterpb.MembersResponse {
	t.Helper()
	conn, err := Dial(c.operator, id, c.children[id].GRPC)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	resp, err := clusterpb.NewAdminClient(conn).Members(testContext(t), &clusterpb.MembersRequest{})
	if err != nil {
		return nil
	}
	return resp
}

func (c *realCluster) voters(t *testing.T, id string) (voters []string) {
	t.Helper()
	for _, m := range c.members(t, id).GetMembers() {
		if m.Votes {
			voters = append(voters, m.Id)
		}
	}
	return voters
}

func (c *realCluster) leader(t *testing.T, askID string) string {
	t.Helper()
	var leader string
	eventually(t, "there is a leader", func() bool {
		leader = c.members(t, askID).GetLeaderId()
		return leader != ""
	})
	return leader
}

func (c *realCluster) token(t *testing.T, askID string, role registry.NodeRole, lifetimeSeconds int64) string {
	t.Helper()
	resp, err := c.admin(t, askID).CreateToken(testContext(t), &clusterpb.CreateTokenRequest{Role: uint32(role), LifetimeSeconds: lifetimeSeconds})
	if err != nil {
		t.Fatalf("create token: %v", err)
	}
	return resp.Token
}

func (c *realCluster) joinConfig(t *testing.T, ch *child, peerID, token string) JoinConfig {
	return JoinConfig{
		Credentials: ch.creds, PeerAddress: c.children[peerID].GRPC, Token: token,
		RaftAddress: ch.Raft, GRPCAddress: ch.GRPC, StoreDir: ch.storeDir(), RaftDir: ch.raftDir(), Log: testLog(t),
	}
}

// join adds a node through a peer and starts it.
func (c *realCluster) join(t *testing.T, id, peerID string, role registry.NodeRole) {
	t.Helper()
	ch := prepareChild(t, c.ca, id)
	joined, err := JoinCluster(testContext(t), c.joinConfig(t, ch, peerID, c.token(t, peerID, role, 0)))
	if err != nil {
		t.Fatalf("join %s: %v", id, err)
	}
	if joined.Role != role || joined.ClusterID != c.ca.ClusterID() || joined.SeedIndex == 0 {
		t.Errorf("join %s answered %+v", id, joined)
	}
	c.children[id] = ch
	ch.start(c.root)
	c.awaitServing(t, id)
}

func (c *realCluster) awaitServing(t *testing.T, id string) {
	t.Helper()
	eventually(t, id+" serves and follows", func() bool { return c.members(t, id).GetLeaderId() != "" })
}

func startRealCluster(t *testing.T) *realCluster {
	t.Helper()
	ca := newCA(t)
	c := &realCluster{root: t, ca: ca, operator: credentialsOf(t, ca, KindOperator, "alice"), children: map[string]*child{}}
	c.children["n1"] = prepareChild(t, ca, "n1")
	c.children["n1"].Bootstrap = true
	c.children["n1"].start(c.root)
	eventually(t, "n1 leads and knows itself", func() bool {
		m := c.members(t, "n1")
		return m.GetLeaderId() == "n1" && len(m.GetMembers()) == 1 && m.Members[0].Role == uint32(registry.RoleVoter)
	})
	c.join(t, "n2", "n1", registry.RoleVoter)
	c.join(t, "n3", "n2", registry.RoleVoter) // through a follower
	eventually(t, "all three vote", func() bool { return len(c.voters(t, "n1")) == 3 })
	return c
}

func (c *realCluster) execute(t *testing.T, id string, command *fsmpb.Command) error {
	t.Helper()
	resp, err := c.admin(t, id).Execute(testContext(t), &clusterpb.ExecuteRequest{Command: command})
	if err != nil {
		return err
	}
	return ResultError(resp.Result)
}

func TestRealCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; not in -short")
	}
	c := startRealCluster(t)
	t.Run("join refusals", func(t *testing.T) { testJoinRefusals(t, c) })
	t.Run("other cluster", func(t *testing.T) { testOtherCluster(t, c) })
	if err := c.execute(t, "n1", &fsmpb.Command{Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: &fsmpb.RegistrarCreate{
		Id: "reg-a", Name: "A", Currency: "EUR", Roid: "R1"}}}); err != nil {
		t.Fatal(err)
	}
	t.Run("leader killed under load", func(t *testing.T) {
		testLeaderLost(t, c, func(ch *child) { ch.kill(t) }, func(ch *child) { ch.start(c.root) })
	})
	t.Run("leader frozen under load", func(t *testing.T) {
		send := func(sig syscall.Signal) func(*child) {
			return func(ch *child) {
				if err := ch.cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
			}
		}
		testLeaderLost(t, c, send(syscall.SIGSTOP), send(syscall.SIGCONT))
	})
	t.Run("transfer", func(t *testing.T) { testTransfer(t, c) })
	t.Run("replica removed", func(t *testing.T) { testReplicaRemoved(t, c) })
	t.Run("leader removed", func(t *testing.T) { testLeaderRemoved(t, c) })
}

func testJoinRefusals(t *testing.T, c *realCluster) {
	used := c.token(t, "n1", registry.RoleReplica, 0)
	expired := c.token(t, "n1", registry.RoleReplica, 1)
	born := time.Now()
	first := prepareChild(t, c.ca, "n5")
	if _, err := JoinCluster(testContext(t), c.joinConfig(t, first, "n1", used)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the short token is old", func() bool { return time.Since(born) > 1200*time.Millisecond })
	second := prepareChild(t, c.ca, "n6")
	for label, tt := range map[string]struct {
		token, want string
		ch          *child
	}{
		"wrong token":        {"wrong", "no such join token", second},
		"no token":           {"", "join token", second},
		"used token":         {used, "used already, by node n5", second},
		"expired token":      {expired, "expired", second},
		"data folder in use": {used, "already holds a state", first},
	} {
		_, err := JoinCluster(testContext(t), c.joinConfig(t, tt.ch, "n2", tt.token))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", label, err)
		}
	}
	// The same node may repeat a join whose answer was lost.
	again := *first
	again.Dir = t.TempDir()
	if _, err := JoinCluster(testContext(t), c.joinConfig(t, &again, "n3", used)); err != nil {
		t.Errorf("repeated join: %v", err)
	}
	// A certificate of one name does not join another, and a registrar's does not join at all.
	conn, err := Dial(first.creds, "", c.children["n1"].GRPC)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = clusterpb.NewPeerClient(conn).Join(testContext(t), &clusterpb.JoinRequest{Token: used,
		Node: &fsmpb.Node{Id: "n6", RaftAddress: second.Raft, GrpcAddress: second.GRPC}})
	if !errors.Is(ErrorFromStatus(err), registry.CodeAuthorization) {
		t.Errorf("join under another name: %v", err)
	}
	if _, err := c.admin(t, "n1").Remove(testContext(t), &clusterpb.RemoveRequest{NodeId: "n5"}); err != nil {
		t.Errorf("remove n5, which never started: %v", err)
	}
}

func testOtherCluster(t *testing.T, c *realCluster) {
	foreign := newCA(t)
	ch := prepareChild(t, foreign, "n2")
	_, err := JoinCluster(testContext(t), c.joinConfig(t, ch, "n1", c.token(t, "n1", registry.RoleVoter, 0)))
	if err == nil {
		t.Fatal("a node of another cluster joined")
	}
	// The other way round: our certificate, a folder that another cluster filled.
	mine := prepareChild(t, c.ca, "n6")
	cfg := c.joinConfig(t, mine, "n1", c.token(t, "n1", registry.RoleReplica, 0))
	if _, err := JoinCluster(testContext(t), cfg); err != nil {
		t.Fatal(err)
	}
	other := prepareChild(t, foreign, "n6")
	cfg.Credentials = other.creds
	if _, err := JoinCluster(testContext(t), cfg); err == nil || !strings.Contains(err.Error(), "data folder of another cluster") {
		t.Errorf("a foreign data folder: %v", err)
	}
	if _, err := c.admin(t, "n1").Remove(testContext(t), &clusterpb.RemoveRequest{NodeId: "n6"}); err != nil {
		t.Errorf("remove n6: %v", err)
	}
}

// testLeaderLost sends deposits of one minor unit through every follower while the leader
// is lost. The balance then says how often they were applied.
func testLeaderLost(t *testing.T, c *realCluster, lose, revive func(*child)) {
	leader := c.leader(t, "n1")
	followers := slices.DeleteFunc([]string{"n1", "n2", "n3"}, func(id string) bool { return id == leader })
	start := c.balance(t, followers[0])
	acked, stopLoad := c.deposit(t, followers)
	eventually(t, "deposits flow", func() bool { return acked.Load() > 300 })
	lose(c.children[leader])
	lostAt, before := time.Now(), acked.Load()
	eventually(t, "deposits flow again", func() bool { return acked.Load() > before+300 })
	t.Logf("%d deposits, then the leader was lost; 300 more by %s later", before, time.Since(lostAt).Round(time.Millisecond))
	stopLoad()
	want := start + acked.Load()
	for _, id := range followers {
		if got := c.balance(t, id); got != want {
			t.Errorf("%s: balance %d, %d deposits were acknowledged", id, got, want)
		}
	}
	revive(c.children[leader])
	c.awaitServing(t, leader)
	eventually(t, "the lost node is level with the others", func() bool { return c.sameHash(t, "n1", "n2", "n3") })
	if got := c.balance(t, leader); got != want {
		t.Errorf("%s after its return: balance %d, want %d", leader, got, want)
	}
}

// balance is a linearizable read at the node.
func (c *realCluster) balance(t *testing.T, id string) int64 {
	t.Helper()
	got, err := c.admin(t, id).GetRegistrar(testContext(t), &clusterpb.GetRegistrarRequest{Id: "reg-a"})
	if err != nil {
		t.Fatalf("read the balance at %s: %v", id, err)
	}
	return got.BalanceMinor
}

// deposit makes deposits from several callers at the nodes until stop is called.
func (c *realCluster) deposit(t *testing.T, ids []string) (acked *atomic.Int64, stop func()) {
	t.Helper()
	const callers = 16
	var wg sync.WaitGroup
	acked = new(atomic.Int64)
	stopped := make(chan struct{})
	one := int64(1)
	command := &fsmpb.Command{Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: &fsmpb.RegistrarUpdate{Id: "reg-a", DepositMinor: &one}}}
	for i := range callers {
		admin := c.admin(t, ids[i%len(ids)])
		wg.Go(func() {
			for {
				select {
				case <-stopped:
					return
				default:
				}
				resp, err := admin.Execute(testContext(t), &clusterpb.ExecuteRequest{Command: command})
				if err == nil {
					err = ResultError(resp.Result)
				}
				if err != nil {
					t.Errorf("a deposit was not held through the loss of the leader: %v", err)
					return
				}
				acked.Add(1)
			}
		})
	}
	return acked, func() {
		close(stopped)
		wg.Wait()
	}
}

// sameHash says whether the nodes have the same hash at the same index.
func (c *realCluster) sameHash(t *testing.T, ids ...string) bool {
	t.Helper()
	var first *clusterpb.StateHashResponse
	for _, id := range ids {
		got, err := c.admin(t, id).StateHash(testContext(t), &clusterpb.StateHashRequest{})
		if err != nil {
			return false
		}
		if first == nil {
			first = got
		}
		if got.Index != first.Index {
			return false
		}
		if !bytes.Equal(got.Hash, first.Hash) {
			t.Fatalf("%s and %s differ at index %d", id, ids[0], got.Index)
		}
	}
	return true
}

func testTransfer(t *testing.T, c *realCluster) {
	for _, to := range []string{"n2", "n3", "n1"} {
		ask := map[string]string{"n1": "n3", "n2": "n1", "n3": "n2"}[to]
		if _, err := c.admin(t, ask).TransferLeader(testContext(t), &clusterpb.TransferLeaderRequest{ToNodeId: to}); err != nil {
			t.Fatalf("transfer to %s: %v", to, err)
		}
		eventually(t, to+" leads", func() bool { return c.members(t, ask).GetLeaderId() == to })
	}
	_, err := c.admin(t, "n2").TransferLeader(testContext(t), &clusterpb.TransferLeaderRequest{ToNodeId: "n9"})
	if !errors.Is(ErrorFromStatus(err), registry.CodeStatusProhibits) {
		t.Errorf("transfer to nobody: %v", err)
	}
}

func testReplicaRemoved(t *testing.T, c *realCluster) {
	c.join(t, "n4", "n3", registry.RoleReplica)
	n4 := c.children["n4"]
	eventually(t, "n4 has caught up", func() bool {
		return slices.ContainsFunc(c.members(t, "n1").GetMembers(), func(m *clusterpb.Member) bool {
			return m.Id == "n4" && m.Reachable && m.InRaft && !m.Votes && m.AppliedIndex > 0
		})
	})
	if got, err := c.admin(t, "n4").GetRegistrar(testContext(t), &clusterpb.GetRegistrarRequest{Id: "reg-a"}); err != nil || got.BalanceMinor == 0 {
		t.Errorf("a linearizable read at the replica: %v, %v", got, err)
	}
	peers := NewPeers(n4.creds, func(id string) (string, bool) { return c.children[id].GRPC, true })
	defer func() { _ = peers.Close() }()
	if _, err := peers.Status(testContext(t), "n1"); err != nil {
		t.Fatalf("n4 before its removal: %v", err)
	}
	resp, err := c.admin(t, "n2").Remove(testContext(t), &clusterpb.RemoveRequest{NodeId: "n4", Reason: "test"})
	if err != nil || resp.Unnotified {
		t.Fatalf("remove n4: %v, %v", resp, err)
	}
	n4.awaitRemovedExit(t)
	for _, id := range []string{"n1", "n2", "n3"} {
		command := registrarCommand()
		command.RequestId = &fsmpb.RequestID{OriginNode: "n4", BootEpoch: 1, Counter: 1}
		_, proposeErr := proposeOne(t, peers, id, command)
		_, readErr := peers.ReadIndex(testContext(t), id)
		for call, err := range map[string]error{"propose": proposeErr, "read index": readErr, "seed": trySeed(testContext(t), n4.creds, c.children[id].GRPC)} {
			if !errors.Is(err, registry.CodeAuthorization) {
				t.Errorf("%s at %s by a removed node: %v", call, id, err)
			}
		}
	}
	_, err = c.admin(t, "n2").Remove(testContext(t), &clusterpb.RemoveRequest{NodeId: "n4"})
	if !errors.Is(ErrorFromStatus(err), registry.CodeObjectDoesNotExist) {
		t.Errorf("remove n4 again: %v", err)
	}
}

func trySeed(ctx context.Context, creds *Credentials, address string) error {
	conn, err := Dial(creds, "", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stream, err := clusterpb.NewPeerClient(conn).Seed(ctx, &clusterpb.SeedRequest{})
	if err != nil {
		return ErrorFromStatus(err)
	}
	_, err = stream.Recv()
	return ErrorFromStatus(err)
}

func testLeaderRemoved(t *testing.T, c *realCluster) {
	leader := c.leader(t, "n1")
	ask := map[string]string{"n1": "n2", "n2": "n3", "n3": "n1"}[leader]
	if _, err := c.admin(t, ask).Remove(testContext(t), &clusterpb.RemoveRequest{NodeId: leader}); err != nil {
		t.Fatalf("remove the leader %s: %v", leader, err)
	}
	c.children[leader].awaitRemovedExit(t)
	if voters := c.voters(t, ask); len(voters) != 2 || slices.Contains(voters, leader) {
		t.Errorf("voters %v", voters)
	}
	err := c.execute(t, ask, &fsmpb.Command{Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: &fsmpb.RegistrarCreate{
		Id: "reg-b", Name: "B", Currency: "EUR", Roid: "R2"}}})
	if err != nil {
		t.Errorf("the two that are left do not work: %v", err)
	}
	// Registrars find no door here at all.
	registrar := credentialsOf(t, c.ca, KindRegistrar, "reg-a")
	conn, err := Dial(registrar, "", c.children[ask].GRPC)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = clusterpb.NewAdminClient(conn).Members(testContext(t), &clusterpb.MembersRequest{})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("a registrar's call: %v", err)
	}
}
