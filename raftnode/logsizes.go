package raftnode

import "sync"

// logSizes is what each entry of the log takes, by index, so that the log can be cut by
// octets. Four octets of memory an entry.
type logSizes struct {
	mu    sync.Mutex
	first uint64 // index of sizes[0]
	sizes []uint32
	total uint64
}

// put records entries that were appended; they replace what was there from their index on.
func (s *logSizes) put(index uint64, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.first + uint64(len(s.sizes))
	switch {
	case len(s.sizes) == 0 || index < s.first || index > next:
		s.first, s.sizes, s.total = index, nil, 0
	case index < next:
		s.cutFrom(index)
	}
	size := uint32(bytes + entryOverheadBytes) // maxCommandBytes and the message's bound keep it far below 4 GiB
	s.sizes = append(s.sizes, size)
	s.total += uint64(size)
}

func (s *logSizes) cutFrom(index uint64) {
	keep := index - s.first
	for _, size := range s.sizes[keep:] {
		s.total -= uint64(size)
	}
	s.sizes = s.sizes[:keep]
}

// drop forgets the entries from first to last, which are a prefix or a suffix.
func (s *logSizes) drop(first, last uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sizes) == 0 || last < s.first || first >= s.first+uint64(len(s.sizes)) {
		return
	}
	if first > s.first {
		s.cutFrom(first)
		return
	}
	gone := min(last-s.first+1, uint64(len(s.sizes)))
	for _, size := range s.sizes[:gone] {
		s.total -= uint64(size)
	}
	s.sizes = s.sizes[gone:]
	s.first += gone
}

// bytes returns what all entries take together.
func (s *logSizes) bytes() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// newestWithin returns how many of the newest entries take at most limit octets together.
func (s *logSizes) newestWithin(limit uint64) (entries uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum uint64
	for i := len(s.sizes) - 1; i >= 0; i-- {
		sum += uint64(s.sizes[i])
		if sum > limit {
			break
		}
		entries++
	}
	return entries
}
