package cluster

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// everyMethod lists what the server really registers, from the generated descriptions.
func everyMethod() map[string]bool { // name -> streams
	methods := map[string]bool{}
	for _, d := range []grpc.ServiceDesc{clusterpb.Peer_ServiceDesc, clusterpb.Admin_ServiceDesc} {
		for _, m := range d.Methods {
			methods["/"+d.ServiceName+"/"+m.MethodName] = false
		}
		for _, m := range d.Streams {
			methods["/"+d.ServiceName+"/"+m.StreamName] = true
		}
	}
	return methods
}

func TestTableNamesEveryMethodAndNoOther(t *testing.T) {
	table := methodAccess()
	for method := range everyMethod() {
		if _, ok := table[method]; !ok {
			t.Errorf("%s has no row", method)
		}
	}
	if len(table) != len(everyMethod()) {
		t.Errorf("the table has %d rows for %d methods", len(table), len(everyMethod()))
	}
}

// call invokes a method with an empty message and returns the status.
func call(t *testing.T, conn *grpc.ClientConn, method string, streams bool) error {
	t.Helper()
	if !streams {
		return conn.Invoke(testContext(t), method, &emptypb.Empty{}, &emptypb.Empty{})
	}
	stream, err := conn.NewStream(testContext(t), &grpc.StreamDesc{ServerStreams: true}, method)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(&emptypb.Empty{}); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if err := stream.RecvMsg(&emptypb.Empty{}); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// TestEveryMethodForEveryRole proves, over real TLS, who may call what.
func TestEveryMethodForEveryRole(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	impostor, err := InitCA(t.TempDir(), c.ca.ClusterID())
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]*Credentials{
		"node":                 c.nodes["n2"].creds,
		"removed node":         credentialsOf(t, c.ca, KindNode, "n9"),
		"operator":             credentialsOf(t, c.ca, KindOperator, "alice"),
		"registrar":            credentialsOf(t, c.ca, KindRegistrar, "reg-a"),
		"other cluster's node": credentialsOf(t, newCA(t), KindNode, "n2"),
		"impostor operator":    credentialsOf(t, impostor, KindOperator, "alice"),
	}
	for role, creds := range roles {
		conn, err := Dial(creds, "", c.nodes["n1"].address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		for method, streams := range everyMethod() {
			peerMethod := strings.HasPrefix(method, "/cadastre.cluster.v1.Peer/")
			want := role == "operator" && !peerMethod || role == "node" && peerMethod ||
				role == "removed node" && (strings.HasSuffix(method, "/Join") || strings.HasSuffix(method, "/ConfirmTerm"))
			if admitted := wasAdmitted(call(t, conn, method, streams)); admitted != want {
				t.Errorf("%s as %s: admitted %v, want %v", method, role, admitted, want)
			}
		}
		for _, method := range []string{"/cadastre.cluster.v1.Peer/Nothing", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/grpc.health.v1.Health/Check"} {
			if err := call(t, conn, method, false); err == nil {
				t.Errorf("%s as %s: answered", method, role)
			}
		}
	}
}

// wasAdmitted tells a refusal at the door (handshake or table) from whatever the method
// itself says about an empty request.
func wasAdmitted(err error) bool {
	if status.Code(err) == codes.Unavailable {
		return false // no connection came about
	}
	re, ok := errors.AsType[*registry.Error](ErrorFromStatus(err))
	if !ok {
		return true
	}
	notMember := re.Field == "node" && strings.Contains(re.Reason, "not a member")
	return re.Field != "method" && !notMember
}

func TestGateDeniesByDefault(t *testing.T) {
	g := &gatekeeper{clusterID: "cluster-one", methods: map[string]access{}}
	_, err := g.admit(context.Background(), clusterpb.Peer_Propose_FullMethodName)
	if !errors.Is(err, registry.CodeAuthentication) {
		t.Errorf("without a certificate: %v", err)
	}
}

func TestExecuteTakesTheActorFromTheCertificate(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1")
	conn, err := Dial(credentialsOf(t, c.ca, KindOperator, "alice"), "", c.nodes["n1"].address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	admin := clusterpb.NewAdminClient(conn)
	forged := &fsmpb.Command{
		Actor:     &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "root"},
		RequestId: &fsmpb.RequestID{OriginNode: "x", Counter: 1},
		Body:      &fsmpb.Command_ClockSet{ClockSet: &fsmpb.ClockSet{TimeMs: 1}},
	}
	spy := &spyRaft{fakeRaft: c.rafts["n1"]}
	c.nodes["n1"].forwarder.raft = spy
	if _, err := admin.Execute(testContext(t), &clusterpb.ExecuteRequest{Command: forged}); err != nil {
		t.Fatal(err)
	}
	if a := spy.last.GetActor(); a.GetKind() != fsmpb.ActorKind_ACTOR_KIND_OPERATOR || a.GetId() != "alice" {
		t.Errorf("the actor is %v", a)
	}
	if spy.last.GetRequestId().GetOriginNode() != "n1" {
		t.Errorf("the request id is %v", spy.last.GetRequestId())
	}
	for label, command := range map[string]*fsmpb.Command{
		"a registrar's": registrarCommand(),
		"node removal":  {Body: &fsmpb.Command_NodeRemove{NodeRemove: &fsmpb.NodeRemove{NodeId: "n1"}}},
		"a publication": {Body: &fsmpb.Command_ZonePublish{ZonePublish: &fsmpb.ZonePublish{}}},
		"nothing":       {},
	} {
		_, err := admin.Execute(testContext(t), &clusterpb.ExecuteRequest{Command: command})
		if !errors.Is(ErrorFromStatus(err), registry.CodeAuthorization) {
			t.Errorf("%s: %v", label, err)
		}
	}
}

// spyRaft remembers the last command.
type spyRaft struct {
	*fakeRaft
	last *fsmpb.Command
}

func (s *spyRaft) Propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	s.last = command
	return s.fakeRaft.Propose(ctx, command)
}
