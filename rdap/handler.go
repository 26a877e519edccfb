package rdap

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cadastre/disclose"
	"cadastre/registry"
	"cadastre/store"
)

// failure is an answer other than 200: its status, and for people why.
type failure struct {
	status int
	reason string
}

func (f *failure) Error() string { return f.reason }

func fail(status int, reason string, args ...any) error {
	return &failure{status: status, reason: fmt.Sprintf(reason, args...)}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	head := rw.Header()
	head.Set("Access-Control-Allow-Origin", "*")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		head.Set("Access-Control-Allow-Methods", "GET, HEAD")
		head.Set("Access-Control-Max-Age", "86400")
		rw.WriteHeader(http.StatusNoContent)
		return
	default:
		head.Set("Allow", "GET, HEAD, OPTIONS")
		s.answerFailure(rw, r, fail(http.StatusMethodNotAllowed, "only GET and HEAD are answered (RFC 7480 section 4.1)"))
		return
	}
	if len(r.RequestURI) > maxURLOctets {
		s.answerFailure(rw, r, fail(http.StatusBadRequest, "the address is longer than %d octets", maxURLOctets))
		return
	}
	path, err := segments(r.URL.EscapedPath())
	if err != nil {
		s.answerFailure(rw, r, err)
		return
	}
	q := s.route(path)
	if q.page == nil && q.answer == nil {
		s.answerFailure(rw, r, q.refusal)
		return
	}
	if ok, wait := s.limiter.Allow(addrOf(r.RemoteAddr), q.cost, s.cfg.Now()); !ok {
		s.counters.limited.Add(1)
		head.Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		s.answerFailure(rw, r, fail(http.StatusTooManyRequests, "your network asks too often; try again later"))
		return
	}
	if q.counter != nil {
		q.counter.Add(1)
	}
	if q.page != nil {
		q.page(rw, r)
		return
	}
	s.answerQuery(rw, r, &q, path)
}

// segments splits a path at its slashes and then decodes each part, so that an encoded slash is part of
// a name and not of the path.
func segments(escaped string) ([]string, error) {
	parts := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	if len(parts) > 8 {
		return nil, fail(http.StatusBadRequest, "the path has too many parts")
	}
	for i, part := range parts {
		decoded, err := url.PathUnescape(part)
		if err != nil {
			return nil, fail(http.StatusBadRequest, "the path is not well encoded (RFC 3986 section 2.1)")
		}
		if !isText(decoded) {
			return nil, fail(http.StatusBadRequest, "the path holds what is no text in UTF-8")
		}
		parts[i] = decoded
	}
	if n := len(parts); n > 1 && parts[n-1] == "" { // one slash at the end does no harm
		parts = parts[:n-1]
	}
	return parts, nil
}

func trimSlash(path string) string { return strings.TrimPrefix(path, "/") }

// answerQuery answers one of RDAP's questions.
func (s *Server) answerQuery(rw http.ResponseWriter, r *http.Request, q *query, path []string) {
	w, ok := s.buffers.Get().(*writer)
	if !ok {
		w = &writer{kept: &s.redactions}
	}
	defer func() {
		if cap(w.b) <= maxPooledOctets {
			s.buffers.Put(w)
		}
	}()
	rq := s.request(r, path)
	status := http.StatusOK
	err := s.answer(r, w, rq, q, path)
	if failed := (*failure)(nil); errors.As(err, &failed) {
		status = failed.status
		s.failureBody(w, rq, failed)
	} else if err != nil {
		s.cfg.Logger.Error("query failed", "service", "rdap", "error", err)
		status = http.StatusInternalServerError
		s.failureBody(w, rq, &failure{status: status, reason: "the service has a fault; try another server"})
	}
	s.write(rw, r, w, status, rq.to.IsPublic())
}

// request says where the question came in. Upper and lower case of a name do not matter to what is
// asked, nor to the address of the answer.
func (s *Server) request(r *http.Request, path []string) *request {
	base := s.cfg.BaseURL
	if base == "" {
		base = "https://" + r.Host + "/"
	}
	asked := trimSlash(r.URL.EscapedPath())
	if len(path) == 2 && isASCII(asked) && !strings.Contains(asked, "%") {
		asked = path[0] + "/" + lowerName(path[0], path[1])
	}
	if r.URL.RawQuery != "" && len(path) < 2 || strings.Contains(r.URL.Path, "reverse_search") {
		asked += "?" + r.URL.RawQuery
	}
	return &request{base: base, url: base + asked}
}

func lowerName(object, name string) string {
	if object == "domain" || object == "nameserver" {
		return strings.ToLower(name)
	}
	return name
}

// answer writes the answer, after putting on record what is disclosed.
func (s *Server) answer(r *http.Request, w *writer, rq *request, q *query, path []string) error {
	for {
		w.b, w.dataTimeAt = w.b[:0], 0
		var disclosed *registry.Disclosure
		err := s.cfg.Viewer.View(func(tx *store.ReadTx) error {
			if rq.note == "" {
				rq.to = s.audience(tx, r)
			}
			c := &call{tx: tx, w: w, rq: rq, fresh: disclose.FreshnessOf(tx, s.cfg.Now()), path: path, query: r.URL, server: s}
			err := q.answer(c)
			disclosed = c.disclosed
			return err
		})
		if err != nil || disclosed == nil {
			return err
		}
		if err = s.record(r, rq, disclosed); err == nil {
			return nil
		}
		s.cfg.Logger.Warn("disclosure not put on record", "service", "rdap", "grant", disclosed.GrantID, "error", err)
		rq.to = disclose.Audience{}
		rq.note = "Only public data are shown, because the disclosure of others could not be put on record now; try again later."
	}
}

func (s *Server) record(r *http.Request, rq *request, d *registry.Disclosure) error {
	if s.cfg.Recorder == nil {
		return errors.New("this server keeps no record of disclosures")
	}
	ctx, cancel := context.WithTimeout(r.Context(), recordTimeout)
	defer cancel()
	d.GrantID, d.Requester, d.Address = rq.to.Grant.ID, rq.to.Grant.Requester, addrOf(r.RemoteAddr).String()
	s.counters.disclosed.Add(1)
	return s.cfg.Recorder.Record(ctx, d)
}

func (s *Server) answerFailure(rw http.ResponseWriter, r *http.Request, err error) {
	failed := &failure{status: http.StatusInternalServerError, reason: "the service has a fault"}
	_ = errors.As(err, &failed)
	w := &writer{}
	rq := &request{base: "https://" + r.Host + "/", url: "https://" + r.Host + "/" + trimSlash(r.URL.EscapedPath())}
	if s.cfg.BaseURL != "" {
		rq.base, rq.url = s.cfg.BaseURL, s.cfg.BaseURL+trimSlash(r.URL.EscapedPath())
	}
	s.failureBody(w, rq, failed)
	s.write(rw, r, w, failed.status, true)
}

// failureBody writes an error (RFC 9083 section 6).
func (s *Server) failureBody(w *writer, rq *request, failed *failure) {
	w.b, w.dataTimeAt = w.b[:0], 0
	w.begin("")
	w.notices(rq, disclose.Freshness{}, "", false, nil)
	w.number("errorCode", uint64(failed.status))
	w.member("title", http.StatusText(failed.status))
	w.strings("description", failed.reason)
	w.close('}')
	s.counters.failed(failed.status)
}

// write sends the answer.
func (s *Server) write(rw http.ResponseWriter, r *http.Request, w *writer, status int, isPublic bool) {
	head := rw.Header()
	head["Content-Type"] = []string{mediaType}
	head["Vary"] = []string{"Accept-Encoding"}
	head["X-Content-Type-Options"] = []string{"nosniff"}
	if !isPublic {
		head["Cache-Control"] = []string{"no-store"}
	}
	if status == http.StatusOK && isPublic {
		head["Cache-Control"] = []string{"no-cache"} // to be asked for again, with the tag
		tag := w.tag()
		head["Etag"] = []string{tag}
		if match := r.Header.Get("If-None-Match"); match != "" && strings.Contains(match, tag) {
			delete(head, "Content-Type")
			rw.WriteHeader(http.StatusNotModified)
			return
		}
	}
	body := w.b
	if len(body) >= minGzipOctets && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		if z, ok := s.zippers.Get().(*zipper); ok {
			defer s.zippers.Put(z)
			body = z.compress(body)
			head["Content-Encoding"] = []string{"gzip"}
		}
	}
	head["Content-Length"] = []string{strconv.Itoa(len(body))}
	rw.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := rw.Write(body); err != nil {
		s.cfg.Logger.Debug("answer not delivered", "service", "rdap", "error", err)
	}
}

// tag is the entity tag: of all but the time of the data, which passes without anything changing.
func (w *writer) tag() string {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	before, after := w.b[:w.dataTimeAt], w.b[w.dataTimeAt:]
	if at := bytes.IndexByte(after, '}'); w.dataTimeAt > 0 && at >= 0 {
		after = after[at:]
	}
	a := crc32.Update(crc32.Checksum(before, castagnoli), castagnoli, after)
	b := crc32.Update(crc32.ChecksumIEEE(before), crc32.IEEETable, after)
	return fmt.Sprintf(`W/"%08x%08x"`, a, b)
}

// zipper compresses one answer at a time.
type zipper struct {
	out appender
	z   *gzip.Writer
}

type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

func newZipper() any {
	z, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		return nil // the level is one of the package's own
	}
	return &zipper{z: z}
}

func (z *zipper) compress(body []byte) []byte {
	z.out.b = z.out.b[:0]
	z.z.Reset(&z.out)
	_, _ = z.z.Write(body) // appending to memory does not fail
	_ = z.z.Close()
	return z.out.b
}
