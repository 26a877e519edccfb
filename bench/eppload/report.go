package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// report is the medians of all runs.
type report struct {
	Runs       int          `json:"runs"`
	Medians    []result     `json:"medians"`
	Comparison []comparison `json:"comparison"`
	Results    []result     `json:"results"`
}

// comparison sets creates beside puts of the same concurrency.
type comparison struct {
	Concurrency int `json:"concurrency"`
	// Throughput is creates for each put; higher is better. MedianLatency is that of a
	// create for that of a put; lower is better.
	Throughput    float64 `json:"throughput_ratio"`
	MedianLatency float64 `json:"median_latency_ratio"`
}

// summarize takes the median of each figure over the runs.
func summarize(all []result) *report {
	r := &report{Results: all}
	key := func(x *result) string { return fmt.Sprint(x.System, x.Operation, x.Concurrency) }
	groups := map[string][]result{}
	var order []string
	for _, x := range all {
		k := key(&x)
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], x)
	}
	for _, k := range order {
		group := groups[k]
		r.Runs = max(r.Runs, len(group))
		m := group[0]
		for _, field := range []func(*result) *float64{
			func(x *result) *float64 { return &x.PerSecond }, func(x *result) *float64 { return &x.P50Micros },
			func(x *result) *float64 { return &x.P99Micros }, func(x *result) *float64 { return &x.NodesCPUMicros },
			func(x *result) *float64 { return &x.LoadCPUMicros },
		} {
			var values []float64
			for i := range group {
				values = append(values, *field(&group[i]))
			}
			*field(&m) = median(values)
		}
		r.Medians = append(r.Medians, m)
	}
	slices.SortStableFunc(r.Medians, func(a, b result) int {
		return cmp.Or(cmp.Compare(class(a.Operation), class(b.Operation)), cmp.Compare(a.Concurrency, b.Concurrency))
	})
	r.compare()
	return r
}

// class puts the writes first.
func class(operation string) int {
	if operation == "create" || operation == "put" {
		return 0
	}
	return 1
}

func (r *report) compare() {
	for _, create := range r.Medians {
		for _, put := range r.Medians {
			if create.Operation == "create" && put.Operation == "put" && create.Concurrency == put.Concurrency {
				r.Comparison = append(r.Comparison, comparison{
					Concurrency: create.Concurrency, Throughput: create.PerSecond / put.PerSecond, MedianLatency: create.P50Micros / put.P50Micros,
				})
			}
		}
	}
}

// median returns the middle value, the mean of the middle two if there are two.
func median(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 0 {
		return (values[half-1] + values[half]) / 2
	}
	return values[half]
}

func (x *result) line() string {
	return fmt.Sprintf("%s %s at %d: %.0f/s, median %.2f ms, p99 %.2f ms, CPU for each: nodes %.0f µs, load %.0f µs",
		x.System, x.Operation, x.Concurrency, x.PerSecond, x.P50Micros/1e3, x.P99Micros/1e3, x.NodesCPUMicros, x.LoadCPUMicros)
}

func (r *report) print(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "operation\tcallers\tper second\tp50 ms\tp99 ms\tnodes CPU µs\tload CPU µs\t") // Flush returns the error
	for _, m := range r.Medians {
		_, _ = fmt.Fprintf(table, "%s %s\t%d\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t\n", m.System, m.Operation, m.Concurrency,
			m.PerSecond, m.P50Micros/1e3, m.P99Micros/1e3, m.NodesCPUMicros, m.LoadCPUMicros)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, c := range r.Comparison {
		if _, err := fmt.Fprintf(out, "%d callers: a create for each put in throughput %.2f, in median latency %.2f\n",
			c.Concurrency, c.Throughput, c.MedianLatency); err != nil {
			return err
		}
	}
	return nil
}
