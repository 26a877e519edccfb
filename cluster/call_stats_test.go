package cluster

import (
	"testing"

	"google.golang.org/grpc/codes"

	"cadastre/cluster/clusterpb"
)

func TestCallsAreCountedByMethodAndCode(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	for role, creds := range map[string]*Credentials{"node": c.nodes["n2"].creds, "operator": credentialsOf(t, c.ca, KindOperator, "alice")} {
		conn, err := Dial(creds, "", c.nodes["n1"].address)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			_, err := clusterpb.NewAdminClient(conn).StateHash(testContext(t), &clusterpb.StateHashRequest{})
			if (err == nil) != (role == "operator") {
				t.Errorf("%s: %v", role, err)
			}
		}
		if err := conn.Invoke(testContext(t), "/made.Up/Method", &clusterpb.StateHashRequest{}, &clusterpb.StateHashResponse{}); err == nil {
			t.Error("a method that does not exist is answered")
		}
		_ = conn.Close() // nothing depends on it
	}
	calls := c.nodes["n1"].server.Calls()
	if len(calls) != 1 {
		t.Fatalf("%+v", calls)
	}
	got := calls[0]
	if got.Service != "Admin" || got.Method != "StateHash" || got.Codes[codes.OK] != 3 || got.Codes[codes.PermissionDenied] != 3 || got.Seconds.Count != 6 {
		t.Errorf("%+v", got)
	}
}
