package cluster

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
)

type chunkList []*clusterpb.CheckpointChunk

func (l *chunkList) Send(c *clusterpb.CheckpointChunk) error {
	*l = append(*l, c)
	return nil
}

func (l chunkList) receive() func() (*clusterpb.CheckpointChunk, error) {
	return func() (*clusterpb.CheckpointChunk, error) {
		if len(l) == 0 {
			return nil, io.EOF
		}
		c := l[0]
		l = l[1:]
		return c, nil
	}
}

// sendAsChunks sends data in writes of odd sizes through a server.
func sendAsChunks(t *testing.T, data []byte) chunkList {
	t.Helper()
	s := &Server{checkpoints: make(chan struct{}, 1), raft: &fakeRaft{checkpoint: data}}
	var sent chunkList
	if err := s.sendCheckpoint(t.Context(), &sent); err != nil {
		t.Fatal(err)
	}
	return sent
}

func TestCheckpointStreamRoundTrip(t *testing.T) {
	for _, size := range []int{0, 1, checkpointChunkBytes - 1, checkpointChunkBytes, checkpointChunkBytes + 1, 3*checkpointChunkBytes + 17} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(rand.Uint32())
		}
		sent := sendAsChunks(t, data)
		for _, c := range sent {
			if proto.Size(c) > checkpointChunkBytes+1024 {
				t.Errorf("a chunk of %d octets", proto.Size(c))
			}
		}
		reader := NewChunkReader(sent.receive())
		got, err := io.ReadAll(reader)
		if err != nil || !bytes.Equal(got, data) || reader.Index != 7 {
			t.Errorf("size %d: got %d octets, index %d, %v", size, len(got), reader.Index, err)
		}
	}
}

func TestCheckpointStreamDetectsDamage(t *testing.T) {
	data := bytes.Repeat([]byte("cadastre"), checkpointChunkBytes/4)
	tests := []struct {
		label  string
		damage func(chunkList) chunkList
	}{
		{"cut", func(l chunkList) chunkList { return l[:1] }},
		{"last chunk missing", func(l chunkList) chunkList { return l[:len(l)-1] }},
		{"first chunk missing", func(l chunkList) chunkList { return l[1:] }},
		{"bit flipped", func(l chunkList) chunkList { l[0].Data[5] ^= 1; return l }},
	}
	for _, tt := range tests {
		reader := NewChunkReader(tt.damage(sendAsChunks(t, data)).receive())
		if _, err := io.ReadAll(reader); err == nil {
			t.Errorf("%s: not noticed", tt.label)
		}
	}
}

func TestCheckpointsAreLimited(t *testing.T) {
	s := &Server{checkpoints: make(chan struct{}, 1), raft: &fakeRaft{}}
	s.checkpoints <- struct{}{}
	err := s.sendCheckpoint(t.Context(), &chunkList{})
	if !errors.Is(err, registry.CodeUnavailable) {
		t.Errorf("got %v", err)
	}
}
