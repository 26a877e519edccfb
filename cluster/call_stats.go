package cluster

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"cadastre/internal/histogram"
)

// maxGRPCCode is the highest code that gRPC defines; what is above counts as Unknown.
const maxGRPCCode = codes.Unauthenticated

// CallStats are the calls of one method that this node has answered.
type CallStats struct {
	// Service is "Peer" or "Admin", Method the name within it.
	Service, Method string
	// Codes counts the answers by gRPC code; those without answers are left out.
	Codes map[codes.Code]uint64
	// Seconds are the times from the call to its end.
	Seconds histogram.Snapshot
}

// methodStats counts the calls of one method.
type methodStats struct {
	seconds *histogram.Histogram

	mu    sync.Mutex
	codes [maxGRPCCode + 1]uint64
}

// callStats has a row for each method of the access table; the map does not change once it
// is made. What gRPC itself refuses, such as a method that does not exist, is not counted.
type callStats struct{ methods map[string]*methodStats }

func newCallStats(methods map[string]access) *callStats {
	s := &callStats{methods: make(map[string]*methodStats, len(methods))}
	for method := range methods {
		s.methods[method] = &methodStats{seconds: histogram.NewSeconds()}
	}
	return s
}

func (s *callStats) note(method string, code codes.Code, began time.Time) {
	m, ok := s.methods[method]
	if !ok {
		return
	}
	if code > maxGRPCCode {
		code = codes.Unknown
	}
	m.seconds.Since(began)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.codes[code]++
}

// Calls returns what was called so far, by service and method.
func (s *Server) Calls() (list []CallStats) {
	for method, m := range s.calls.methods {
		service, name, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/") // as the generated code has it
		out := CallStats{Service: service[strings.LastIndexByte(service, '.')+1:], Method: name,
			Codes: map[codes.Code]uint64{}, Seconds: m.seconds.Snapshot()}
		m.mu.Lock()
		for code, answers := range m.codes {
			if answers > 0 {
				out.Codes[codes.Code(code)] = answers
			}
		}
		m.mu.Unlock()
		if len(out.Codes) > 0 {
			list = append(list, out)
		}
	}
	slices.SortFunc(list, func(a, b CallStats) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Method, b.Method))
	})
	return list
}

// TrustedAuthorities returns how many certificate authorities this holder trusts now: more
// than one while they are being replaced.
func (c *Credentials) TrustedAuthorities() int {
	trusted, _ := c.authorities()
	return len(trusted)
}
