package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
)

// lists checks the commands on lists of labels and says whether the command is one.
func (k *checker) lists(command *fsmpb.Command) bool {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_PremiumLoad:
		k.name("tld", body.PremiumLoad.GetTld())
		k.listLength(len(body.PremiumLoad.GetNames()))
		for _, name := range body.PremiumLoad.GetNames() {
			if err := policy.CheckPremiumName(premiumNameFromProto(name)); err != nil && k.err == nil {
				k.err = err
			}
		}
	case *fsmpb.Command_PremiumRemove:
		k.labels(body.PremiumRemove.GetTld(), body.PremiumRemove.GetLabels())
	case *fsmpb.Command_ReservedLoad:
		k.labels(body.ReservedLoad.GetTld(), body.ReservedLoad.GetLabels())
	case *fsmpb.Command_ReservedRemove:
		k.labels(body.ReservedRemove.GetTld(), body.ReservedRemove.GetLabels())
	default:
		return false
	}
	return true
}

func (k *checker) labels(tld string, labels []string) {
	k.name("tld", tld)
	k.listLength(len(labels))
	for _, label := range labels {
		if err := policy.CheckLabel(label); err != nil && k.err == nil {
			k.err = err
		}
	}
}

func (k *checker) listLength(n int) {
	k.require(n > 0, "label", "", "the command names no label")
	k.count("label", n, maxListEntries)
}
