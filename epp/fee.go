package epp

import (
	"strconv"
	"strings"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// maxFeeDigits bounds an amount before its point, far above every price, so that sums stay
// within 63 bits.
const maxFeeDigits = 12

// maxFees bounds the fees and credits of one command; there is one price.
const maxFees = 100

// feeElements are what commands may carry of the fee extension (RFC 8748 section 5).
func feeElements() []extensionElement {
	elements := []extensionElement{{"check", isBody[*eppxml.DomainCheck], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
		x.feeCheck, err = eppxml.DecodeFeeCheck(e)
		return err
	}}}
	for _, transform := range []struct {
		name string
		on   func(eppxml.Body) bool
	}{
		{"create", isBody[*eppxml.DomainCreate]}, {"renew", isBody[*eppxml.DomainRenew]}, {"transfer", isTransferRequest}, {"update", isBody[*eppxml.DomainUpdate]},
	} {
		elements = append(elements, extensionElement{transform.name, transform.on, func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.fee, err = eppxml.DecodeFeeTransform(e, transform.name)
			return err
		}})
	}
	return elements
}

func isTransferRequest(body eppxml.Body) bool {
	transfer, is := body.(*eppxml.DomainTransfer)
	return is && transfer.Op == eppxml.TransferRequest
}

// agreedFee returns what the client agrees to pay, nil if it gave no fee: the sum of fees and
// credits, rounded down to minor units.
func (c *call) agreedFee() (*fsmpb.Fee, error) {
	given := c.extensions.fee
	if given == nil {
		return nil, nil
	}
	if len(given.Fees)+len(given.Credits) > maxFees {
		return nil, refuse(registry.CodeParameterPolicy, "fee", "", "a command has at most %d fees and credits", maxFees)
	}
	agreed := &fsmpb.Fee{Currency: given.Currency}
	for _, list := range [][]eppxml.Fee{given.Fees, given.Credits} {
		for i := range list {
			minor, err := feeMinor(list[i].Amount)
			if err != nil {
				return nil, err
			}
			agreed.AmountMinor += minor
		}
	}
	return agreed, nil
}

// feeMinor returns a decimal amount in minor units, rounded down.
func feeMinor(amount string) (int64, error) {
	digits, negative := strings.CutPrefix(amount, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(whole) > maxFeeDigits {
		return 0, refuse(registry.CodeParameterRange, "fee", "", "an amount has at most %d digits before its point", maxFeeDigits)
	}
	minor, err := strconv.ParseInt(whole+(fraction + "00")[:2], 10, 64)
	if err != nil {
		return 0, refuse(registry.CodeParameterSyntax, "fee", amount, "the amount is not a decimal number")
	}
	if negative {
		minor = -minor
		if len(fraction) > 2 {
			minor--
		}
	}
	return minor, nil
}

// withFees adds what the command cost to its answer, for a client that logged in for fees
// (RFC 8748 section 5.2). A client that agreed to a fee hears of it even if it was none.
func (c *call) withFees(a *answer, element, description string, result *fsmpb.Result) *answer {
	account, charged := result.GetAccount(), result.GetChargedMinor()
	if !c.services.hasExtension(eppxml.NSFee) || account == nil || charged == 0 && c.extensions.fee == nil {
		return a
	}
	fees := &eppxml.FeeResult{
		Currency: result.GetCurrency(), Balance: registry.FormatMinorUnits(account.GetBalanceMinor()), CreditLimit: registry.FormatMinorUnits(account.GetCreditLimitMinor()),
	}
	if years := result.GetPeriodYears(); years > 0 {
		fees.Period = eppxml.Period{Count: int(years), Unit: eppxml.UnitYear}
	}
	amount := eppxml.Fee{Amount: registry.FormatMinorUnits(charged), Description: description}
	if charged < 0 {
		fees.Credits = []eppxml.Fee{amount}
	} else {
		fees.Fees = []eppxml.Fee{amount}
	}
	a.extensions = append(a.extensions, extensionData{uri: eppxml.NSFee, xml: eppxml.AppendFeeResult(nil, element, fees)})
	return a
}
