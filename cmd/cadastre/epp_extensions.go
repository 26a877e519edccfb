package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"cadastre/epp/eppxml"
)

// eppExtras are the flags for what extensions add to commands. A command registers those that
// it can carry.
type eppExtras struct {
	ds                 []string
	fee, currency      string
	token              string
	phase, application string
	apply, mark        bool
	codes, notices     []string
	claims             bool
	fees               []string
}

func (x *eppExtras) registerFee(f *pflag.FlagSet) {
	f.StringVar(&x.fee, "fee", "", "fee that you agree to pay, such as 10.00")
	f.StringVar(&x.currency, "currency", "", "with --fee: its currency (default: that of the TLD)")
}

func (x *eppExtras) registerToken(f *pflag.FlagSet) {
	f.StringVar(&x.token, "token", "", "allocation token")
}

func (x *eppExtras) registerPhase(f *pflag.FlagSet) {
	f.StringVar(&x.phase, "phase", "", "phase of the launch, such as landrush or custom/NAME")
}

func (x *eppExtras) registerApplication(f *pflag.FlagSet) {
	x.registerPhase(f)
	f.StringVar(&x.application, "application", "", "with --phase: identifier of the application that is meant")
}

// dsFormat is how the flags write a DS record: as zone files do.
const dsFormat = "'KEYTAG ALGORITHM DIGESTTYPE DIGEST'"

// parseDS reads DS records as zone files have them.
func parseDS(flag string, values []string) ([]eppxml.DSData, error) {
	var records []eppxml.DSData
	for _, value := range values {
		wrong := &usageError{fmt.Sprintf("--%s %q: want %s, such as '12345 13 2 49FD46E6…'", flag, value, dsFormat)}
		parts := strings.Fields(value)
		if len(parts) < 4 {
			return nil, wrong
		}
		var numbers [3]uint64
		for i, bits := range []int{16, 8, 8} {
			n, err := strconv.ParseUint(parts[i], 10, bits)
			if err != nil {
				return nil, wrong
			}
			numbers[i] = n
		}
		digest, err := hex.DecodeString(strings.Join(parts[3:], ""))
		if err != nil || len(digest) == 0 {
			return nil, wrong
		}
		records = append(records, eppxml.DSData{KeyTag: uint16(numbers[0]), Alg: uint8(numbers[1]), DigestType: uint8(numbers[2]), Digest: digest})
	}
	return records, nil
}

// parsePhase reads TYPE or TYPE/NAME.
func (x *eppExtras) parsePhase() (eppxml.LaunchPhase, error) {
	kind, name, _ := strings.Cut(x.phase, "/")
	switch kind {
	case "sunrise", "landrush", "claims", "open", "custom":
		return eppxml.LaunchPhase{Type: kind, Name: name}, nil
	}
	return eppxml.LaunchPhase{}, &usageError{fmt.Sprintf("--phase %s: want sunrise, landrush, claims, open or custom, and the name of a custom one after a slash", x.phase)}
}

// parseNotices reads claims notices given as ID,NOTAFTER,ACCEPTED.
func parseNotices(values []string) ([]eppxml.LaunchNotice, error) {
	var notices []eppxml.LaunchNotice
	for _, value := range values {
		parts := strings.Split(value, ",")
		wrong := &usageError{fmt.Sprintf("--notice %s: want ID,NOTAFTER,ACCEPTED with two times, such as 2027-03-01T12:00:00Z", value)}
		if len(parts) != 3 || parts[0] == "" {
			return nil, wrong
		}
		notAfter, err := parseTime(parts[1])
		if err != nil {
			return nil, wrong
		}
		accepted, err := parseTime(parts[2])
		if err != nil {
			return nil, wrong
		}
		notices = append(notices, eppxml.LaunchNotice{ID: parts[0], NotAfter: notAfter, AcceptedDate: accepted})
	}
	return notices, nil
}

// common returns the elements of fee and token for a transform command of the name.
func (x *eppExtras) common(verb string) [][]byte {
	var elements [][]byte
	if x.fee != "" {
		fee := &eppxml.FeeTransform{Currency: x.currency, Fees: []eppxml.Fee{{Amount: x.fee}}}
		elements = append(elements, eppxml.AppendFeeTransform(nil, verb, fee))
	}
	if x.token != "" {
		elements = append(elements, eppxml.AppendAllocationToken(nil, &eppxml.AllocationToken{Token: x.token}))
	}
	return elements
}

// ofCreate returns the elements for the create of a domain.
func (x *eppExtras) ofCreate() ([][]byte, error) {
	elements := x.common("create")
	records, err := parseDS("ds", x.ds)
	if err != nil {
		return nil, err
	}
	if len(records) > 0 {
		elements = append(elements, eppxml.AppendSecDNSCreate(nil, &eppxml.SecDNS{DS: records}))
	}
	if x.phase == "" {
		if x.apply || len(x.codes)+len(x.notices) > 0 {
			return nil, &usageError{"--apply, --code and --notice go with --phase"}
		}
		return elements, nil
	}
	create := &eppxml.LaunchCreate{}
	if create.Phase, err = x.parsePhase(); err != nil {
		return nil, err
	}
	if x.apply {
		create.Type = eppxml.LaunchApplication
	}
	for _, code := range x.codes {
		create.Codes = append(create.Codes, eppxml.LaunchCode{Code: code})
	}
	if create.Notices, err = parseNotices(x.notices); err != nil {
		return nil, err
	}
	return append(elements, eppxml.AppendLaunchCreate(nil, create)), nil
}

// ofApplication returns the element by which an update or delete means an application, none
// without the flags.
func (x *eppExtras) ofApplication(encode func([]byte, *eppxml.LaunchID) []byte) ([][]byte, error) {
	if x.phase == "" && x.application == "" {
		return nil, nil
	}
	if x.phase == "" || x.application == "" {
		return nil, &usageError{"--phase and --application go together"}
	}
	phase, err := x.parsePhase()
	if err != nil {
		return nil, err
	}
	return [][]byte{encode(nil, &eppxml.LaunchID{Phase: phase, ApplicationID: x.application})}, nil
}

// ofInfo returns the elements for the info of a domain or of an application.
func (x *eppExtras) ofInfo() ([][]byte, error) {
	if x.phase == "" {
		if x.application != "" || x.mark {
			return nil, &usageError{"--application and --include-mark go with --phase"}
		}
		return nil, nil
	}
	info := &eppxml.LaunchInfo{IncludeMark: x.mark}
	var err error
	if info.Phase, err = x.parsePhase(); err != nil {
		return nil, err
	}
	if x.application != "" {
		info.ApplicationID = &x.application
	}
	return [][]byte{eppxml.AppendLaunchInfo(nil, info)}, nil
}

// ofCheck returns the elements for the check of domains.
func (x *eppExtras) ofCheck() ([][]byte, error) {
	elements := x.common("check")
	if len(x.fees) > 0 {
		check := &eppxml.FeeCheck{Currency: x.currency}
		for _, name := range x.fees {
			check.Commands = append(check.Commands, eppxml.FeeCommand{Name: eppxml.FeeCommandName(name)})
		}
		elements = append(elements, eppxml.AppendFeeCheck(nil, check))
	}
	if x.phase == "" {
		if x.claims {
			return nil, &usageError{"--claims goes with --phase"}
		}
		return elements, nil
	}
	phase, err := x.parsePhase()
	if err != nil {
		return nil, err
	}
	check := &eppxml.LaunchCheck{Form: eppxml.LaunchAvail, Phase: &phase}
	if x.claims {
		check.Form = eppxml.LaunchClaims
	}
	return append(elements, eppxml.AppendLaunchCheck(nil, check)), nil
}

// extensionElements reads encoded elements in the form in which commands carry them.
func extensionElements(encoded [][]byte) ([]eppxml.Element, error) {
	var elements []eppxml.Element
	for _, xml := range encoded {
		e, err := eppxml.ParseElement(xml)
		if err != nil {
			return nil, fmt.Errorf("make an extension element: %w", err)
		}
		elements = append(elements, e)
	}
	return elements, nil
}

// parseInstant reads a time that a flag gives.
func parseInstant(flag, text string) (time.Time, error) {
	at, err := parseTime(text)
	if err != nil {
		return time.Time{}, &usageError{fmt.Sprintf("--%s: %v", flag, err)}
	}
	return at, nil
}
