package eppxml

import "strconv"

// FeeChkData is <fee:chkData>: the fees of the objects of a check.
type FeeChkData struct {
	Currency string
	Objects  []FeeObject
}

// FeeObject is what a check says of one object.
type FeeObject struct {
	ID string
	// Avail says whether fees are known; if not, Reason says why.
	Avail    bool
	Class    string
	Commands []FeeQuote
	Reason   string
}

// FeeQuote is what one command costs.
type FeeQuote struct {
	FeeCommand
	// Standard says that the fees are the usual ones.
	Standard bool
	Fees     []Fee
	Credits  []Fee
	// Reason says why the command is not possible.
	Reason string
}

// FeeResult is what a transform cost, as its answer carries it.
type FeeResult struct {
	Currency string
	Period   Period
	Fees     []Fee
	Credits  []Fee
	// Balance and CreditLimit are decimal numbers, empty if they are not shown.
	Balance, CreditLimit string
}

// AppendFeeChkData appends <fee:chkData>; objects must not be empty.
func AppendFeeChkData(dst []byte, data *FeeChkData) []byte {
	dst = appendLeaf(appendObjectOpen(dst, "fee", NSFee, "chkData"), "fee:currency", data.Currency)
	for i := range data.Objects {
		o := &data.Objects[i]
		dst = append(appendBool(append(dst, "<fee:cd"...), "avail", o.Avail), '>')
		dst = appendLeaf(dst, "fee:objID", o.ID)
		dst = appendOptional(dst, "fee:class", o.Class)
		for k := range o.Commands {
			dst = o.Commands[k].append(dst)
		}
		dst = appendClose(appendOptional(dst, "fee:reason", o.Reason), "fee:cd")
	}
	return appendClose(dst, "fee:chkData")
}

func (q *FeeQuote) append(dst []byte) []byte {
	dst = q.appendOpen(dst)
	if q.Standard {
		dst = appendBool(dst, "standard", true)
	}
	dst = appendFeePeriod(append(dst, '>'), q.Period)
	dst = appendFees(appendFees(dst, "fee:fee", q.Fees), "fee:credit", q.Credits)
	return appendClose(appendOptional(dst, "fee:reason", q.Reason), "fee:command")
}

// appendOpen appends the start tag of <fee:command> without its last character.
func (c *FeeCommand) appendOpen(dst []byte) []byte {
	dst = appendAttr(append(dst, "<fee:command"...), "name", string(c.Name))
	for _, part := range [...]struct{ name, value string }{{"customName", c.CustomName}, {"phase", c.Phase}, {"subphase", c.Subphase}} {
		if part.value != "" {
			dst = appendAttr(dst, part.name, part.value)
		}
	}
	return dst
}

func appendFeePeriod(dst []byte, p Period) []byte {
	if p.Count == 0 {
		return dst
	}
	dst = append(appendAttr(append(dst, "<fee:period"...), "unit", p.Unit), '>')
	return appendClose(strconv.AppendInt(dst, int64(p.Count), 10), "fee:period")
}

func appendFees(dst []byte, qname string, fees []Fee) []byte {
	for i := range fees {
		f := &fees[i]
		dst = append(append(dst, '<'), qname...)
		for _, part := range [...]struct{ name, value string }{{"description", f.Description}, {"lang", f.Lang}} {
			if part.value != "" {
				dst = appendAttr(dst, part.name, part.value)
			}
		}
		if f.Refundable != nil {
			dst = appendBool(dst, "refundable", *f.Refundable)
		}
		if f.GracePeriod != "" {
			dst = appendAttr(dst, "grace-period", f.GracePeriod)
		}
		if f.Applied != "" {
			dst = appendAttr(dst, "applied", f.Applied)
		}
		dst = appendClose(appendText(append(dst, '>'), f.Amount), qname)
	}
	return dst
}

// AppendFeeCheck appends <fee:check>.
func AppendFeeCheck(dst []byte, q *FeeCheck) []byte {
	dst = appendOptional(appendObjectOpen(dst, "fee", NSFee, "check"), "fee:currency", q.Currency)
	for i := range q.Commands {
		c := &q.Commands[i]
		dst = appendClose(appendFeePeriod(append(c.appendOpen(dst), '>'), c.Period), "fee:command")
	}
	return appendClose(dst, "fee:check")
}

// AppendFeeTransform appends the element that a transform command of the name carries.
func AppendFeeTransform(dst []byte, name string, t *FeeTransform) []byte {
	dst = appendOptional(appendObjectOpen(dst, "fee", NSFee, name), "fee:currency", t.Currency)
	dst = appendFees(appendFees(dst, "fee:fee", t.Fees), "fee:credit", t.Credits)
	return appendClose(dst, "fee:"+name)
}

// AppendFeeResult appends what a transform cost: name is creData, renData, trnData, updData or delData.
func AppendFeeResult(dst []byte, name string, r *FeeResult) []byte {
	dst = appendOptional(appendObjectOpen(dst, "fee", NSFee, name), "fee:currency", r.Currency)
	dst = appendFeePeriod(dst, r.Period)
	dst = appendFees(appendFees(dst, "fee:fee", r.Fees), "fee:credit", r.Credits)
	dst = appendOptional(dst, "fee:balance", r.Balance)
	dst = appendOptional(dst, "fee:creditLimit", r.CreditLimit)
	return appendClose(dst, "fee:"+name)
}
