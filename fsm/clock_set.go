package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// clockSet moves a manual clock forward; what falls due is then done by ticks.
func (r *run) clockSet(c *fsmpb.ClockSet) (*fsmpb.Result, error) {
	if r.tx.ClockMode() != registry.ClockManual {
		return nil, refuse(registry.CodeStatusProhibits, "clock", "", "this cluster runs on real time; only a cluster made with a manual clock can be moved")
	}
	target := time.UnixMilli(c.GetTimeMs()).UTC()
	if target.Before(r.now) {
		return nil, refuse(registry.CodeParameterRange, "time", target.Format(time.RFC3339), "registry time never goes back; it is %s", r.now.Format(time.RFC3339))
	}
	r.tx.SetNow(target)
	return ok(), nil
}
