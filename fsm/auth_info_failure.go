package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// authInfoFailure counts a wrong attempt of the acting registrar at the authorisation
// information of an object. It is counted in the state, so that the bounds hold however the
// attempts are spread over the nodes. Attempts that are turned away already count no more,
// which bounds the commands of this kind.
func (r *run) authInfoFailure(c *fsmpb.AuthInfoFailure) (*fsmpb.Result, error) {
	object := registry.ROID(c.GetRoid())
	if _, _, found := r.tx.ROID(object); !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "roid", c.GetRoid(), "there is no object of this identifier")
	}
	if err := CheckAuthInfoAttempt(&r.tx.ReadTx, r.registrarID(), object); err != nil {
		return nil, err
	}
	now := r.tx.LeaderNow()
	for _, scope := range authFailureScopes(r.registrarID(), object) {
		f := r.tx.AuthFailures(scope.registrar, scope.object)
		if f.Count == 0 || !now.Before(f.Since.Add(policy.AuthFailureWindow)) {
			f = store.AuthFailures{Since: now}
		}
		f.Count++
		r.tx.PutAuthFailures(scope.registrar, scope.object, f)
	}
	return ok(), nil
}

// authFailureScope is what attempts are counted by.
type authFailureScope struct {
	registrar registry.RegistrarID
	object    registry.ROID
	limit     uint32
}

func authFailureScopes(registrar registry.RegistrarID, object registry.ROID) []authFailureScope {
	return []authFailureScope{
		{registrar, object, policy.MaxAuthFailures},
		{"", object, policy.MaxAuthFailuresOfObject},
		{registrar, "", policy.MaxAuthFailuresOfRegistrar},
	}
}

// CheckAuthInfoAttempt refuses an attempt at the authorisation information of an object,
// right or wrong, after too many wrong ones. It goes by the leaders' clock: a manual clock
// may stand still for ever.
func CheckAuthInfoAttempt(tx *store.ReadTx, registrar registry.RegistrarID, object registry.ROID) error {
	now := tx.LeaderNow()
	for _, scope := range authFailureScopes(registrar, object) {
		f := tx.AuthFailures(scope.registrar, scope.object)
		if until := f.Since.Add(policy.AuthFailureWindow); f.Count >= scope.limit && now.Before(until) {
			return refuse(registry.CodeInvalidAuthInfo, "authInfo", "", "too many wrong attempts; authorisation information is not looked at until %s", until.UTC().Format(time.RFC3339))
		}
	}
	return nil
}
