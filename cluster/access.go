package cluster

import (
	"context"
	"crypto/x509"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// access is who may call a method.
type access struct {
	kinds []Kind
	// members admits a node only while the replicated state knows it.
	members bool
}

// methodAccess is the table of everything that may be called; what is not in it is refused.
func methodAccess() map[string]access {
	member := access{kinds: []Kind{KindNode}, members: true}
	methods := map[string]access{
		clusterpb.Peer_Propose_FullMethodName:   member,
		clusterpb.Peer_ReadIndex_FullMethodName: member,
		// Raft itself knows who leads, also before this node's state knows the leader.
		clusterpb.Peer_ConfirmTerm_FullMethodName: {kinds: []Kind{KindNode}},
		// The token is what admits here.
		clusterpb.Peer_Join_FullMethodName:            {kinds: []Kind{KindNode}},
		clusterpb.Peer_Seed_FullMethodName:            member,
		clusterpb.Peer_AddMember_FullMethodName:       member,
		clusterpb.Peer_RemoveMember_FullMethodName:    member,
		clusterpb.Peer_TransferLeader_FullMethodName:  member,
		clusterpb.Peer_Removed_FullMethodName:         member,
		clusterpb.Peer_Status_FullMethodName:          member,
		clusterpb.Peer_ChangeRole_FullMethodName:      member,
		clusterpb.Peer_Announce_FullMethodName:        member,
		clusterpb.Peer_ChangeGossipKey_FullMethodName: member,
		clusterpb.Peer_GossipKeys_FullMethodName:      member,
		clusterpb.Peer_SeedSources_FullMethodName:     member,
		clusterpb.Peer_SeedManifest_FullMethodName:    member,
		clusterpb.Peer_SeedRead_FullMethodName:        member,
		clusterpb.Peer_SeedRelease_FullMethodName:     member,
		clusterpb.Peer_SeedHold_FullMethodName:        member,
		clusterpb.Peer_SeedHash_FullMethodName:        member,
		// Besides, only a voter asks, and only a voter answers: see requireVoters.
		clusterpb.Peer_KeyFetch_FullMethodName: member,
		clusterpb.Peer_KeyHeld_FullMethodName:  member,
	}
	for _, method := range operatorMethods() {
		methods[method] = access{kinds: []Kind{KindOperator}}
	}
	return methods
}

// operatorMethods are those of the Admin service, all of them for operators.
func operatorMethods() []string {
	return []string{
		clusterpb.Admin_Execute_FullMethodName,
		clusterpb.Admin_Members_FullMethodName,
		clusterpb.Admin_GetTLD_FullMethodName,
		clusterpb.Admin_ListTLDs_FullMethodName,
		clusterpb.Admin_ListLabels_FullMethodName,
		clusterpb.Admin_HostUsers_FullMethodName,
		clusterpb.Admin_GetRegistrar_FullMethodName,
		clusterpb.Admin_ListRegistrars_FullMethodName,
		clusterpb.Admin_CreateToken_FullMethodName,
		clusterpb.Admin_TransferLeader_FullMethodName,
		clusterpb.Admin_Remove_FullMethodName,
		clusterpb.Admin_ClockGet_FullMethodName,
		clusterpb.Admin_WaitSettled_FullMethodName,
		clusterpb.Admin_StateHash_FullMethodName,
		clusterpb.Admin_Backup_FullMethodName,
		clusterpb.Admin_Ledger_FullMethodName,
		clusterpb.Admin_History_FullMethodName,
		clusterpb.Admin_Features_FullMethodName,
		clusterpb.Admin_RaiseLevel_FullMethodName,
		clusterpb.Admin_ZoneSecondaries_FullMethodName,
		clusterpb.Admin_ZoneStatus_FullMethodName,
		clusterpb.Admin_ZoneExport_FullMethodName,
		clusterpb.Admin_ZoneImport_FullMethodName,
		clusterpb.Admin_MaintenanceList_FullMethodName,
		clusterpb.Admin_MaintenanceShow_FullMethodName,
		clusterpb.Admin_DisclosureGrants_FullMethodName,
		clusterpb.Admin_Disclosures_FullMethodName,
		clusterpb.Admin_AllocationTokens_FullMethodName,
		clusterpb.Admin_Applications_FullMethodName,
		clusterpb.Admin_SetRole_FullMethodName,
		clusterpb.Admin_RevokeOperator_FullMethodName,
		clusterpb.Admin_ListRevoked_FullMethodName,
		clusterpb.Admin_Trust_FullMethodName,
		clusterpb.Admin_PutTrust_FullMethodName,
		clusterpb.Admin_RotateGossip_FullMethodName,
		clusterpb.Admin_RequestCertificate_FullMethodName,
		clusterpb.Admin_InstallCertificate_FullMethodName,
		clusterpb.Admin_ReadObject_FullMethodName,
		clusterpb.Admin_KeyGenerate_FullMethodName,
		clusterpb.Admin_KeyList_FullMethodName,
		clusterpb.Admin_KeyRoll_FullMethodName,
	}
}

// callerKey is the context key of the caller's identity.
type callerKey struct{}

// caller returns who calls; gatekeeper has put it there.
func caller(ctx context.Context) Identity {
	id, _ := ctx.Value(callerKey{}).(Identity)
	return id
}

// gatekeeper decides about every call, from the certificate of its connection.
type gatekeeper struct {
	clusterID string
	methods   map[string]access
	// isMember says whether the state knows the node. It may wait a little for the state.
	isMember func(ctx context.Context, nodeID string) (bool, error)
	// isRevoked says whether an operator's certificate was revoked; nil: none is.
	isRevoked func(name string, cert *x509.Certificate) (bool, error)
}

// admit returns the context in which the call may go on, or a *registry.Error.
func (g *gatekeeper) admit(ctx context.Context, method string) (context.Context, error) {
	cert, err := callerCertificate(ctx)
	var id Identity
	if err == nil {
		id, err = ParseIdentity(cert)
	}
	if err != nil {
		return nil, &registry.Error{Code: registry.CodeAuthentication, Reason: "no valid client certificate", Err: err}
	}
	rule, ok := g.methods[method]
	if !ok || id.ClusterID != g.clusterID || !slices.Contains(rule.kinds, id.Kind) {
		return nil, refuse(registry.CodeAuthorization, "method", method, "this certificate may not call it")
	}
	if id.Kind == KindOperator && g.isRevoked != nil {
		revoked, err := g.isRevoked(id.Name, cert)
		if err != nil {
			return nil, err
		}
		if revoked {
			return nil, refuse(registry.CodeAuthentication, "operator", id.Name, "the certificate was revoked")
		}
	}
	if rule.members {
		known, err := g.isMember(ctx, id.Name)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, refuse(registry.CodeAuthorization, "node", id.Name, "the node is not a member of the cluster")
		}
	}
	return context.WithValue(ctx, callerKey{}, id), nil
}

func callerCertificate(ctx context.Context) (*x509.Certificate, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil, errNoCertificate()
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.PeerCertificates) == 0 {
		return nil, errNoCertificate()
	}
	return info.State.PeerCertificates[0], nil
}

func errNoCertificate() error {
	return refuse(registry.CodeAuthentication, "", "", "the connection carries no certificate")
}

// admittedStream is a stream whose context carries the caller.
type admittedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *admittedStream) Context() context.Context { return s.ctx }

// mayPropose says whether a node may have the leader commit the command: what registrars
// and operators do, joining, and what is on record of disclosed data. Ticks and publications come from the leader's own process
// only: a replica holds no keys and must not be able to publish a zone.
func mayPropose(command *fsmpb.Command) error {
	switch kind := command.GetActor().GetKind(); kind {
	case fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, fsmpb.ActorKind_ACTOR_KIND_OPERATOR:
		return nil
	case fsmpb.ActorKind_ACTOR_KIND_SYSTEM:
		if command.GetNodeJoin() != nil || command.GetDisclosureRecord() != nil {
			return nil
		}
	}
	return refuse(registry.CodeAuthorization, "command", "", "this command is not accepted from another node")
}

// mayExecute says whether an operator may have the command done by Execute. The others
// have calls of their own, or are not an operator's.
func mayExecute(command *fsmpb.Command) error {
	switch command.GetBody().(type) {
	case *fsmpb.Command_ClockSet, *fsmpb.Command_RegistrarCreate, *fsmpb.Command_RegistrarUpdate, *fsmpb.Command_TldPut,
		*fsmpb.Command_PremiumLoad, *fsmpb.Command_PremiumRemove, *fsmpb.Command_ReservedLoad, *fsmpb.Command_ReservedRemove, *fsmpb.Command_HostReturn,
		*fsmpb.Command_DomainServerUpdate, *fsmpb.Command_HostServerUpdate, *fsmpb.Command_ContactServerUpdate,
		*fsmpb.Command_OrgServerUpdate,
		*fsmpb.Command_MaintenanceCreate, *fsmpb.Command_MaintenanceUpdate, *fsmpb.Command_MaintenanceCancel,
		*fsmpb.Command_LaunchApplicationDecide, *fsmpb.Command_AllocationTokenCreate, *fsmpb.Command_AllocationTokenRevoke,
		*fsmpb.Command_DisclosureGrant, *fsmpb.Command_DisclosureRevoke,
		*fsmpb.Command_ZoneKeyDsSeen, *fsmpb.Command_ZoneKeyRetire, *fsmpb.Command_ZoneRelease, *fsmpb.Command_ZoneDsGone:
		return nil
	default:
		return refuse(registry.CodeAuthorization, "command", "", "this is not an operator's command")
	}
}
