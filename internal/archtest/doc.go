// Package archtest proves the rules of the code's structure: who may import whom, what
// the deterministic packages keep away from, and how long files and functions may be.
package archtest
