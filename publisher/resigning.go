package publisher

import (
	"strings"

	"cadastre/dnssec"
	"cadastre/registry"
)

// The states of ZoneState.SignedAs besides whole fingerprints: nothing is signed (""), or some of it may be.
const inPart = "in part"

func isWhole(signedAs string) bool { return signedAs != "" && signedAs != inPart }

// The first word of a fingerprint names the chain that answers are proved by. While the zone comes from one chain to
// another, the other's kind follows: after buildMark while it is being built, after dropMark while it leaves.
const (
	buildMark = "+"
	dropMark  = "~"
)

// chainsOf takes the first word of a fingerprint apart, and returns what follows it: the keys.
func chainsOf(fingerprint string) (primary, mark, other, keys string) {
	word, keys, _ := strings.Cut(fingerprint, " ")
	if at := strings.IndexAny(word, buildMark+dropMark); at >= 0 {
		return word[:at], word[at : at+1], word[at+1:], keys
	}
	return word, "", "", keys
}

func joinFingerprint(primary, mark, other, keys string) string {
	return primary + mark + other + " " + keys
}

// kindOf returns the kind of a chain in words, without opt-out.
func kindOf(chain string) string {
	kind, _, _ := strings.Cut(chain, "-")
	return kind
}

// wayOf is the reverse of the word in a fingerprint.
func wayOf(chain string) dnssec.Way {
	switch {
	case chain == "":
		return dnssec.Way{}
	case kindOf(chain) == registry.DenialNSEC.String():
		return dnssec.Way{Denial: registry.DenialNSEC}
	default:
		return dnssec.Way{Denial: registry.DenialNSEC3, OptOut: isOptOut(chain)}
	}
}

func isOptOut(fingerprint string) bool { return strings.HasPrefix(fingerprint, "nsec3-opt-out") }

// filled names a chain that holds all names while its records still say opt-out: the step between the two, so that no
// name is ever without its record when the records say that all are there.
func filled(want string) string { return "nsec3-filled" + strings.TrimPrefix(want, "nsec3") }

// signingPlan is the next step from how the zone is signed to how it should be.
type signingPlan struct {
	primary, beside dnssec.Way
	keepOptOut      bool
	// meanwhile and goal are how it is signed until the step is done, and then.
	meanwhile, goal string
	// swap has the chain beside become the one that answers are proved by.
	swap bool
	// unsign takes back that the zone is signed at all.
	unsign bool
}

// plan says what the next step is. Another kind of chain is built beside the present one, then proves, and then the old
// one goes: the zone is signed all the while (RFC 5155 sections 10.4 and 10.5).
func (c *computation) plan(want string) signingPlan {
	current := c.current.SignedAs
	if !isWhole(current) {
		return signingPlan{goal: want, meanwhile: inPart}
	}
	if want == "" {
		return signingPlan{unsign: true}
	}
	primary, mark, other, keys := chainsOf(current)
	wanted, _, _, wantedKeys := chainsOf(want)
	switch {
	case kindOf(primary) == kindOf(wanted) && mark == "":
		p := signingPlan{goal: want, meanwhile: current}
		if isOptOut(primary) && !isOptOut(wanted) && kindOf(wanted) == registry.DenialNSEC3.String() {
			p.goal, p.keepOptOut = filled(want), true
		}
		return p
	case mark == dropMark, kindOf(primary) == kindOf(wanted): // what is left of the other chain goes first
		return signingPlan{
			primary: wayOf(primary), keepOptOut: strings.HasPrefix(primary, "nsec3-filled"),
			meanwhile: joinFingerprint(primary, dropMark, other, keys), goal: joinFingerprint(primary, "", "", wantedKeys),
		}
	default:
		return signingPlan{
			primary: wayOf(primary), beside: wayOf(wanted), keepOptOut: strings.HasPrefix(primary, "nsec3-filled"), swap: true,
			meanwhile: joinFingerprint(primary, buildMark, kindOf(wanted), keys), goal: joinFingerprint(wanted, dropMark, kindOf(primary), wantedKeys),
		}
	}
}
