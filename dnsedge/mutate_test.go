package dnsedge

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

//nolint:gochecknoglobals // flags of the test binary
var (
	mutations    = flag.Int64("mutations", 300_000, "executions of TestMutatedQueries")
	mutationSeed = flag.Uint64("mutation-seed", 0, "seed of TestMutatedQueries; 0: another one each time")
)

const (
	// shapeRepeats is how many replies of each shape miekg/dns reads too.
	shapeRepeats = 16
	// maxShapes bounds the shapes remembered by a goroutine; beyond it only the sample is read twice.
	maxShapes = 1 << 16
	// shapeSample is which share of all replies miekg/dns reads as well.
	shapeSample = 2048
)

// TestMutatedQueries asks the responder what no well-behaved client asks: well-formed questions drawn from names, types, options
// and flags that matter, and mutations of those and of the corpus of FuzzRespond. Every reply is read by the bounded parser
// below, which checks all that FuzzRespond checks; miekg/dns reads the first replies of each shape (codes, flags, options, types
// of all records) and a sample of all. `make fuzz-responder` runs it for long.
func TestMutatedQueries(t *testing.T) {
	seed := *mutationSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	views := []*View{exampleView(t), signedView(t, signing{optOut: true}), signedView(t, signing{}), signedView(t, signing{nsec: true}),
		NewView(buildZone(t, "org", parseOwners(t, orgZone)), buildZone(t, "example", parseOwners(t, exampleZone))), nil}
	r, err := NewResponder(Identity{NSID: strings.Repeat("n", maxIdentity), Version: strings.Repeat("v", maxIdentity)}, []CookieSecret{{1}, {2}})
	if err != nil {
		t.Fatal(err)
	}
	corpus := readCorpus(t)
	begun := time.Now()
	var done, shapes, twice atomic.Int64
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for i := range workers {
		group.Go(func() {
			m := &mutator{rand: rand.New(rand.NewPCG(seed, uint64(i))), corpus: corpus, views: views, responder: r, shapes: map[uint64]uint8{}, hash: maphash.MakeSeed()}
			for done.Load() < *mutations {
				const step = 1024
				for range step {
					if err := m.execute(); err != nil {
						t.Errorf("seed %d: query %x: %v", seed, m.query, err)
						done.Store(*mutations)
						return
					}
				}
				done.Add(step)
			}
			shapes.Add(int64(len(m.shapes)))
			twice.Add(m.twice)
		})
	}
	group.Wait()
	took := time.Since(begun)
	t.Logf("seed %d: %d executions in %s, %.0f a second and processor; %d shapes of replies, %d replies read by miekg/dns too",
		seed, done.Load(), took.Round(time.Second), float64(done.Load())/took.Seconds()/float64(workers), shapes.Load(), twice.Load())
}

// readCorpus takes the queries that fuzzing found.
func readCorpus(t *testing.T) (corpus [][]byte) {
	t.Helper()
	files, err := filepath.Glob("testdata/fuzz/FuzzRespond/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, quoted, _ := strings.Cut(string(content), "[]byte(")
		text, err := strconv.Unquote(strings.TrimSuffix(strings.TrimSpace(quoted), ")"))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		corpus = append(corpus, []byte(text))
	}
	return corpus
}

// mutator is one goroutine's state.
type mutator struct {
	rand      *rand.Rand
	corpus    [][]byte
	views     []*View
	responder *Responder
	query     []byte
	reply     []byte
	shapes    map[uint64]uint8
	hash      maphash.Seed
	shape     []byte
	twice     int64
}

// execute makes one query and checks the reply.
func (m *mutator) execute() error {
	m.make()
	if len(m.query) > udpQueryOctets {
		m.query = m.query[:udpQueryOctets]
	}
	r := m.rand.Uint32()
	from := Client{Transport: []Transport{UDP, UDP, TCP, TLS}[r&3], Now: 1_800_000_000, KeepaliveDeciseconds: 100}
	if from.Addr = netip.AddrFrom4([4]byte{192, 0, 2, byte(r >> 8)}); r&4 > 0 {
		from.Addr = netip.AddrFrom16([16]byte{0x20, 1, 15: byte(r >> 8)})
	}
	reply, o := m.responder.respond(m.reply[:0], m.query, m.views[int(r>>16)%len(m.views)], &from)
	if cap(reply) > cap(m.reply) {
		m.reply = reply
	}
	if len(m.query) < headerOctets || m.query[2]&bitQR != 0 {
		if len(reply) != 0 {
			return fmt.Errorf("reply %x to what must be dropped", reply)
		}
		return nil
	}
	m.shape = m.shape[:0]
	if err := m.inspect(reply, from.Transport); err != nil {
		return fmt.Errorf("%w; reply %x", err, reply)
	}
	if r>>8%8 == 0 && from.Transport == UDP { // what the rate limit makes of it
		o.limited = true
		if err := m.inspect(truncate(reply, &o), UDP); err != nil {
			return fmt.Errorf("truncated: %w; reply %x", err, reply)
		}
		return nil
	}
	return m.second(reply, from.Transport)
}

// second has miekg/dns read a reply of a shape that is new, or one of the sample.
func (m *mutator) second(reply []byte, tr Transport) error {
	key := maphash.Bytes(m.hash, m.shape)
	seen, known := m.shapes[key]
	sampled := m.rand.Uint32()%shapeSample == 0
	if !sampled && (seen >= shapeRepeats || !known && len(m.shapes) >= maxShapes) {
		return nil
	}
	if known || len(m.shapes) < maxShapes {
		m.shapes[key] = min(seen+1, shapeRepeats)
	}
	m.twice++
	return replyError(m.query, reply, tr)
}

// make draws a query.
func (m *mutator) make() {
	switch r := m.rand.Uint32(); {
	case r%4 == 0:
		m.query = append(m.query[:0], m.corpus[int(r>>8)%len(m.corpus)]...)
	default:
		m.generate()
		if r%4 != 1 {
			return
		}
	}
	for range 1 + m.rand.IntN(4) {
		m.mutate()
	}
}

// generate makes a question that is well formed, for the most part.
func (m *mutator) generate() {
	r := m.rand
	names := [...]string{"\x07example", "\x01a\x07example", "\x01b\x07example", "\x03ns1\x01a\x07example", "\x06signed\x07example", "\x03big\x07example", "\x03sib\x07example",
		"\x03nic\x07example", "\x01a\x03nic\x07example", "\x05alias\x03nic\x07example", "\x01x\x01y\x07example", "\x04deep\x01x\x01y\x07example", "\x03org", "\x02co\x03org",
		"", "\x04bind", "\x06server", "\x02id\x06server", "\x07version\x04bind", "\x08hostname\x04bind", "\x04test"}
	types := [...]uint16{1, 1, 28, 2, 43, 6, 16, 48, 51, 5, 46, 47, 50, 255, 252, 251, 41, 249, 250, 128, 0, 65535, 15, 253}
	flags := r.Uint32()
	h := [headerOctets]byte{byte(flags >> 24), byte(flags >> 16), 0, 0, 0, 1}
	if flags&7 == 0 {
		h[2], h[3] = byte(flags>>8)&^bitQR, byte(flags>>4)
	}
	m.query = append(m.query[:0], h[:]...)
	if r.IntN(2) == 0 {
		for range 1 + r.IntN(3) {
			label := [...]string{"www", "*", "nope", "xn--a", "\x00", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"}[r.IntN(6)]
			if r.IntN(3) == 0 {
				label = strconv.Itoa(r.IntN(1000))
			}
			m.query = append(append(m.query, byte(len(label))), label...)
		}
	}
	at := len(m.query)
	m.query = append(append(m.query, names[r.IntN(len(names))]...), 0)
	for i := at; i < len(m.query); i++ {
		if c := m.query[i]; 'a' <= c && c <= 'z' && r.IntN(4) == 0 {
			m.query[i] = c - 32
		}
	}
	qtype, class := types[r.IntN(len(types))], classIN
	if r.IntN(16) == 0 {
		class = [...]uint16{classCH, classCH, 254, 255, 0}[r.IntN(5)]
	}
	m.query = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(m.query, qtype), class)
	if r.IntN(5) > 0 {
		m.query[11]++
		m.opt()
	}
}

// opt appends an OPT record.
func (m *mutator) opt() {
	r := m.rand
	size := [...]uint16{0, 511, 512, 600, 700, 1000, 1231, 1232, 1233, 4096, 65535}[r.IntN(11)]
	version := byte(0)
	if r.IntN(20) == 0 {
		version = byte(1 + r.IntN(255))
	}
	m.query = append(m.query, 0, 0, byte(typeOPT), byte(size>>8), byte(size), 0, version, byte(r.IntN(2)<<7), byte(r.IntN(2)), 0, 0)
	at := len(m.query)
	for range r.IntN(5) {
		code := [...]uint16{optionNSID, optionCookie, optionCookie, optionKeepalive, optionPadding, optionZoneVersion, optionEDE, 8, 9, 100, 65001}[r.IntN(11)]
		n := 0
		switch {
		case code == optionCookie:
			n = [...]int{8, 16, 24, 24, 40, 7, 41}[r.IntN(7)]
		case code == optionPadding || r.IntN(8) == 0:
			n = r.IntN(40)
		}
		m.query = appendOption(m.query, code, n)
		for range n {
			m.query = append(m.query, byte(r.Uint32()))
		}
	}
	binary.BigEndian.PutUint16(m.query[at-2:], uint16(len(m.query)-at))
}

// mutate changes octets, mostly where they count.
func (m *mutator) mutate() {
	r, q := m.rand, m.query
	if len(q) == 0 {
		return
	}
	at := r.IntN(len(q))
	switch r.IntN(9) {
	case 0:
		q[at] ^= 1 << r.IntN(8)
	case 1:
		q[at] = byte(r.Uint32())
	case 2:
		q[at] = [...]byte{0, 1, 12, 41, 63, 64, 0x7F, 0x80, 0xC0, 0xC1, 0xFF}[r.IntN(11)]
	case 3:
		m.query = q[:at]
	case 4: // out
		n := min(1+r.IntN(8), len(q)-at)
		m.query = append(q[:at], q[at+n:]...)
	case 5: // in
		if len(q) < udpQueryOctets {
			m.query = append(q, 0)
			copy(m.query[at+1:], m.query[at:])
			m.query[at] = byte(r.Uint32())
		}
	case 6: // the counts of sections
		if len(q) >= headerOctets {
			q[4+r.IntN(8)] = byte(r.IntN(4))
		}
	case 7: // the end of another
		other := m.corpus[r.IntN(len(m.corpus))]
		m.query = append(q[:at], other[min(at, len(other)):]...)
	case 8: // twice the same
		if n := min(len(q)-at, 64); len(q)+n <= udpQueryOctets {
			m.query = append(q, q[at:at+n]...)
		}
	}
}

// inspect reads a reply to m.query as a stranger would and notes its shape.
func (m *mutator) inspect(reply []byte, tr Transport) error {
	if len(reply) < headerOctets || reply[0] != m.query[0] || reply[1] != m.query[1] || reply[2]&bitQR == 0 || reply[3]&0xF0 != 0 || (reply[2]^m.query[2])&(bitOpcode|bitRD) != 0 {
		return fmt.Errorf("header")
	}
	m.shape = append(m.shape, reply[2]&^bitRD, reply[3])
	counts := [4]int{}
	for i := range counts {
		counts[i] = int(binary.BigEndian.Uint16(reply[4+2*i:]))
	}
	off := headerOctets
	if counts[0] > 1 {
		return fmt.Errorf("%d questions", counts[0])
	}
	if counts[0] == 1 {
		end, ok := readName(reply, off)
		if !ok || end+4 > len(reply) || !bytes.HasPrefix(m.query[headerOctets:], reply[headerOctets:end+4]) {
			return fmt.Errorf("question")
		}
		off = end + 4
	}
	opts, records := 0, counts[1]+counts[2]+counts[3]
	for i := range records {
		end, ok := readName(reply, off)
		if !ok || end+wireRecHead > len(reply) {
			return fmt.Errorf("owner of record %d", i)
		}
		rtype, n := binary.BigEndian.Uint16(reply[end:]), int(binary.BigEndian.Uint16(reply[end+8:]))
		m.shape = append(m.shape, byte(rtype>>8), byte(rtype))
		body := end + wireRecHead
		if body+n > len(reply) || !readRdata(reply, rtype, body, body+n) {
			return fmt.Errorf("record %d of type %d", i, rtype)
		}
		if rtype == typeOPT {
			opts++
			if i < counts[1]+counts[2] || reply[off] != 0 || end != off+1 || reply[end+5] != 0 {
				return fmt.Errorf("OPT")
			}
			m.shape = append(m.shape, reply[end+4])
		}
		off = body + n
	}
	if off != len(reply) || opts > 1 {
		return fmt.Errorf("%d octets after the last record, %d OPT", len(reply)-off, opts)
	}
	limit := maxTCPOctets
	if tr == UDP {
		limit = minUDPOctets
		if size, ok := optSize(m.query); ok {
			limit = min(max(size, minUDPOctets), maxUDPOctets)
		} else if opts > 0 {
			return fmt.Errorf("an OPT that was not asked for")
		}
	}
	if len(reply) > limit {
		return fmt.Errorf("%d octets, limit %d", len(reply), limit)
	}
	if reply[2]&bitTC == 0 && reply[3]&15 == 0 && counts[0] == 1 && counts[1]+counts[2] == 0 && (opts == 0 || m.shape[len(m.shape)-1] == 0) {
		return fmt.Errorf("empty success")
	}
	return nil
}

// readName steps over a name whose pointers all lead back.
func readName(b []byte, off int) (end int, ok bool) {
	octets, low := 0, off
	for end = -1; off < len(b); {
		c := int(b[off])
		switch {
		case c == 0:
			if end < 0 {
				end = off + 1
			}
			return end, octets+1 <= maxNameOctets
		case c >= 0xC0:
			if off+1 >= len(b) {
				return 0, false
			}
			to := int(binary.BigEndian.Uint16(b[off:]) & maxPointer)
			if to >= low || to < headerOctets {
				return 0, false
			}
			if end < 0 {
				end = off + 2
			}
			off, low = to, to
		case c > maxLabelOctets:
			return 0, false
		default:
			octets += 1 + c
			off += 1 + c
		}
		if octets >= maxNameOctets {
			return 0, false
		}
	}
	return 0, false
}

// readRdata checks RDATA of the types that answers have.
func readRdata(b []byte, rtype uint16, off, end int) bool {
	names, fixed := 0, -1
	switch rtype {
	case typeA:
		return end-off == 4
	case typeAAAA:
		return end-off == 16
	case typeNS, typeCNAME:
		names, fixed = 1, 0
	case typeSOA:
		names, fixed = 2, soaNumbers
	case typeRRSIG:
		names, off = 1, off+sigHead
	case typeNSEC:
		names = 1
	case typeOPT:
		for off < end {
			if off += optionHead; off > end {
				return false
			}
			off += int(binary.BigEndian.Uint16(b[off-2:]))
		}
		return off == end
	}
	for range names {
		var ok bool
		if off, ok = readName(b, off); !ok {
			return false
		}
	}
	return off <= end && (fixed < 0 || end-off == fixed)
}

// optSize finds the OPT record of a query and the size in it.
func optSize(q []byte) (int, bool) {
	off := headerOctets
	step := func() (ok bool) {
		for off < len(q) {
			c := int(q[off])
			switch {
			case c == 0:
				off++
				return true
			case c >= 0xC0:
				off += 2
				return true
			}
			off += 1 + c
		}
		return false
	}
	for range binary.BigEndian.Uint16(q[4:]) {
		if !step() {
			return 0, false
		}
		off += 4
	}
	records := int(binary.BigEndian.Uint16(q[6:])) + int(binary.BigEndian.Uint16(q[8:])) + int(binary.BigEndian.Uint16(q[10:]))
	for range records {
		if !step() || off+wireRecHead > len(q) {
			return 0, false
		}
		if binary.BigEndian.Uint16(q[off:]) == typeOPT {
			return int(binary.BigEndian.Uint16(q[off+2:])), true
		}
		off += wireRecHead + int(binary.BigEndian.Uint16(q[off+8:]))
	}
	return 0, false
}

// replyError checks with miekg/dns what holds for every reply.
func replyError(query, reply []byte, tr Transport) error {
	var m dns.Msg
	if err := m.Unpack(reply); err != nil {
		return fmt.Errorf("reply %x: %w", reply, err)
	}
	if m.Id != binary.BigEndian.Uint16(query) || !m.Response || m.RecursionAvailable {
		return fmt.Errorf("header of %v", &m)
	}
	limit := maxTCPOctets
	if tr == UDP {
		limit = minUDPOctets
		var q dns.Msg
		if q.Unpack(query) == nil && q.IsEdns0() != nil {
			limit = min(max(limit, int(q.IsEdns0().UDPSize())), maxUDPOctets)
		} else if m.IsEdns0() != nil {
			limit = maxUDPOctets // the independent parser gave up on the query
		}
	}
	if len(reply) > limit {
		return fmt.Errorf("%d octets, limit %d", len(reply), limit)
	}
	if len(m.Question) == 1 {
		end, _ := skipName(reply, headerOctets)
		if !bytes.HasPrefix(query[headerOctets:], reply[headerOctets:end+4]) {
			return fmt.Errorf("question of %x is not that of %x", reply, query)
		}
	}
	if m.Rcode == dns.RcodeSuccess && !m.Truncated && len(m.Question) > 0 && len(m.Answer)+len(m.Ns) == 0 {
		return fmt.Errorf("empty success: %v", &m)
	}
	return nil
}
