package pause_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cadastre/internal/pause"
)

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if err := pause.For(t.Context(), time.Minute); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("a minute took %v, %v", time.Since(begun), err)
		}
		reason := errors.New("a reason")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(reason) })
		begun = time.Now()
		if err := pause.For(ctx, time.Minute); !errors.Is(err, reason) || time.Since(begun) != time.Second {
			t.Errorf("a pause that was ended took %v, %v", time.Since(begun), err)
		}
	})
}
