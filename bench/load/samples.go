package load

import (
	"fmt"
	"slices"
	"time"
)

// Samples are durations of the same thing done many times.
type Samples []time.Duration

// Quantile returns the smallest sample that at least the fraction q of all do not exceed.
func (s Samples) Quantile(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	at := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

// String writes count, median, p99 and maximum in milliseconds.
func (s Samples) String() string {
	return fmt.Sprintf("n=%d median=%s p99=%s max=%s", len(s), ms(s.Quantile(0.5)), ms(s.Quantile(0.99)), ms(s.Quantile(1)))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000) }
