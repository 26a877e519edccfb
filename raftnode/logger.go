package raftnode

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

const (
	// repeatInterval is how often one complaint about one peer is logged: a peer that is
	// down would otherwise fill the log at the heartbeat rate.
	repeatInterval = 30 * time.Second
	// maxRepeatKeys bounds the memory for that; past it the table starts afresh.
	maxRepeatKeys = 1024
)

// logBridge hands raft's log lines to slog: levels kept, keys in snake case, complaints
// that repeat thinned out, and lines about the expected course of things lowered to debug.
type logBridge struct {
	logger *slog.Logger
	now    func() time.Time

	mu      sync.Mutex
	repeats map[string]*repeat
}

type repeat struct {
	loggedAt   time.Time
	suppressed int
}

func newLogBridge(logger *slog.Logger) *logBridge {
	return &logBridge{logger: logger, now: time.Now, repeats: make(map[string]*repeat)}
}

// hclog returns a logger for raft that writes through the bridge only.
func (b *logBridge) hclog(name string) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: name, Level: hclog.Off, Output: io.Discard})
	l.RegisterSink(b)
	return l
}

// Accept implements hclog.SinkAdapter.
func (b *logBridge) Accept(name string, level hclog.Level, msg string, args ...any) {
	attrs, key := convertArgs(args)
	slogLevel := b.level(level, msg, attrs)
	if !b.logger.Enabled(context.Background(), slogLevel) {
		return
	}
	if slogLevel >= slog.LevelWarn {
		suppressed, show := b.admit(msg + "\x00" + key)
		if !show {
			return
		}
		if suppressed > 0 {
			attrs = append(attrs, slog.Int("suppressed", suppressed))
		}
	}
	attrs = append(attrs, slog.String("component", name))
	b.logger.LogAttrs(context.Background(), slogLevel, msg, attrs...) //nolint:sloglint // the messages are those of raft
}

func (b *logBridge) level(level hclog.Level, msg string, attrs []slog.Attr) slog.Level {
	if msg == "failed to take snapshot" {
		for _, a := range attrs {
			text := a.Value.String()
			if strings.Contains(text, "nothing new to snapshot") || strings.Contains(text, errSnapshotAhead.Error()) {
				return slog.LevelDebug
			}
		}
	}
	switch {
	case level >= hclog.Error:
		return slog.LevelError
	case level == hclog.Warn:
		return slog.LevelWarn
	case level == hclog.Info:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}

// admit says whether a complaint may be logged now and how many like it were not.
func (b *logBridge) admit(key string) (suppressed int, show bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	r := b.repeats[key]
	if r == nil {
		if len(b.repeats) >= maxRepeatKeys {
			clear(b.repeats)
		}
		b.repeats[key] = &repeat{loggedAt: now}
		return 0, true
	}
	if now.Sub(r.loggedAt) < repeatInterval {
		r.suppressed++
		return 0, false
	}
	suppressed = r.suppressed
	r.loggedAt, r.suppressed = now, 0
	return suppressed, true
}

// convertArgs turns hclog's pairs into attributes, and names the peer that they are about.
func convertArgs(args []any) (attrs []slog.Attr, peer string) {
	attrs = make([]slog.Attr, 0, len(args)/2+2)
	for i := 0; i+1 < len(args); i += 2 {
		key := strings.ReplaceAll(fmt.Sprint(args[i]), "-", "_")
		value := convertValue(args[i+1])
		if key == "peer" || key == "target" || key == "from" {
			peer = value.String()
		}
		attrs = append(attrs, slog.Attr{Key: key, Value: value})
	}
	return attrs, peer
}

func convertValue(v any) slog.Value {
	switch v := v.(type) {
	case hclog.Format:
		if len(v) > 0 {
			if format, ok := v[0].(string); ok {
				return slog.StringValue(fmt.Sprintf(format, v[1:]...))
			}
		}
		return slog.StringValue("")
	case string, bool, int, int64, uint64, time.Duration, time.Time:
		return slog.AnyValue(v)
	default: // structs and pointers of raft, which a JSON handler must not walk into
		return slog.StringValue(fmt.Sprintf("%+v", v))
	}
}
