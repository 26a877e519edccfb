package store

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Session sees everything up to an index that an earlier answer gave; Stale sees everything
// that was acknowledged a while ago.
const (
	Session Consistency = Linearizable + 1 + iota
	Stale
)

// maxStaleBound keeps a bound in the range in which it says something.
const maxStaleBound = 24 * time.Hour

// Freshness is a level with what it needs.
type Freshness struct {
	Level Consistency
	// Index is of Session: the node waits until it has applied it.
	Index uint64
	// MaxStale is of Stale: what was acknowledged so long ago is seen; 0: no bound.
	MaxStale time.Duration
}

// ParseFreshness reads "linearizable", "session=INDEX", "stale" or "stale=DURATION".
func ParseFreshness(text string) (Freshness, error) {
	level, value, hasValue := strings.Cut(text, "=")
	switch {
	case level == "linearizable" && !hasValue:
		return Freshness{Level: Linearizable}, nil
	case level == "stale" && !hasValue:
		return Freshness{Level: Stale}, nil
	case level == "stale":
		bound, err := time.ParseDuration(value)
		if err == nil && bound > 0 && bound <= maxStaleBound {
			return Freshness{Level: Stale, MaxStale: bound}, nil
		}
		return Freshness{}, fmt.Errorf("stale=%s: want a duration such as 500ms, up to %s", value, maxStaleBound)
	case level == "session" && hasValue:
		index, err := strconv.ParseUint(value, 10, 64)
		if err == nil && index > 0 {
			return Freshness{Level: Session, Index: index}, nil
		}
		return Freshness{}, fmt.Errorf("session=%s: want the index that an earlier answer gave", value)
	default:
		return Freshness{}, fmt.Errorf("%q: want linearizable, session=INDEX, stale or stale=DURATION", text)
	}
}
