package raftnode

import "io"

// CheckpointFile is one file of a checkpoint.
type CheckpointFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// CheckpointInfo is what the head of a checkpoint stream says about the rest.
type CheckpointInfo struct {
	// Index and Term are the position in the log that the state is at.
	Index, Term uint64
	Files       []CheckpointFile
	// StreamBytes is the length of the whole stream, head included.
	StreamBytes int64
}

// ReadCheckpointInfo reads the head of a stream that WriteCheckpoint made, and not an octet
// more. Errors about the stream itself match ErrBadCheckpoint.
func ReadCheckpointInfo(r io.Reader) (CheckpointInfo, error) {
	counted := &countingReader{from: r}
	m, err := readManifest(counted)
	if err != nil {
		return CheckpointInfo{}, err
	}
	info := CheckpointInfo{Index: m.Index, Term: m.Term, StreamBytes: counted.bytes}
	for _, f := range m.Files {
		info.Files = append(info.Files, CheckpointFile(f))
		info.StreamBytes += f.Bytes
	}
	return info, nil
}

type countingReader struct {
	from  io.Reader
	bytes int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes += int64(n)
	return n, err
}
