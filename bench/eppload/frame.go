package main

import (
	"bytes"
	"fmt"
)

// labelDigits is the length of the number in a label of a load's domain.
const labelDigits = 9

// numbered is a frame in which a number of fixed length stands for the domain's label, so
// that it is encoded once for all the domains of a caller.
type numbered struct {
	frame  []byte
	places [][]byte
}

// newNumbered finds the label in the frame.
func newNumbered(frame []byte, label string) (*numbered, error) {
	n := &numbered{frame: frame}
	for at := 0; ; {
		found := bytes.Index(frame[at:], []byte(label))
		if found < 0 {
			break
		}
		end := at + found + len(label)
		n.places = append(n.places, frame[end-labelDigits:end])
		at = end
	}
	if len(n.places) == 0 {
		return nil, fmt.Errorf("the label %s is not in the frame", label)
	}
	return n, nil
}

// with returns the frame for a number.
func (n *numbered) with(number int) []byte {
	for _, place := range n.places {
		rest := number
		for i := labelDigits - 1; i >= 0; i-- {
			place[i] = byte('0' + rest%10)
			rest /= 10
		}
	}
	return n.frame
}
