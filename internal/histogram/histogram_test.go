package histogram

import "testing"

func TestObservationsFallIntoTheirBuckets(t *testing.T) {
	h := New(1, 2, 4)
	for _, v := range []float64{0, 1, 1.5, 2, 3, 4, 5, 100} {
		h.Observe(v)
	}
	s := h.Snapshot()
	if s.Count != 8 || s.Sum != 116.5 {
		t.Errorf("count %d, sum %g", s.Count, s.Sum)
	}
	for bound, want := range map[float64]uint64{1: 2, 2: 4, 4: 6} {
		if got := s.Cumulative[bound]; got != want {
			t.Errorf("%d observations up to %g, not %d", got, bound, want)
		}
	}
}
