package antomtest

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Amount is money as the acquirer writes it: minor units in a string.
type Amount struct {
	Currency string `json:"currency"`
	Value    string `json:"value"`
}

type payRequest struct {
	ProductCode      string `json:"productCode"`
	PaymentRequestID string `json:"paymentRequestId"`
	Order            struct {
		ReferenceOrderID string         `json:"referenceOrderId"`
		OrderDescription string         `json:"orderDescription"`
		OrderAmount      Amount         `json:"orderAmount"`
		Env              jsontext.Value `json:"env"`
		Buyer            jsontext.Value `json:"buyer"`
		Merchant         jsontext.Value `json:"merchant"`
	} `json:"order"`
	PaymentAmount Amount `json:"paymentAmount"`
	PaymentMethod struct {
		Type string `json:"paymentMethodType"`
		ID   string `json:"paymentMethodId"`
	} `json:"paymentMethod"`
	PaymentFactor struct {
		Scenario string `json:"inStorePaymentScenario"`
	} `json:"paymentFactor"`
	SettlementStrategy struct {
		Currency string `json:"settlementCurrency"`
	} `json:"settlementStrategy"`
	PaymentExpiryTime  string `json:"paymentExpiryTime"`
	PaymentRedirectURL string `json:"paymentRedirectUrl"`
	PaymentNotifyURL   string `json:"paymentNotifyUrl"`
	Env                struct {
		TerminalType string `json:"terminalType"`
		OSType       string `json:"osType"`
	} `json:"env"`
}

type payAnswer struct {
	Result            Result         `json:"result"`
	PaymentRequestID  string         `json:"paymentRequestId"`
	PaymentID         string         `json:"paymentId"`
	PaymentAmount     *Amount        `json:"paymentAmount,omitzero"` // only the wrong_echo fault adds it
	NormalURL         string         `json:"normalUrl,omitzero"`
	SchemeURL         string         `json:"schemeUrl,omitzero"`
	ApplinkURL        string         `json:"applinkUrl,omitzero"`
	AppIdentifier     string         `json:"appIdentifier,omitzero"`
	OrderCodeForm     *orderCodeForm `json:"orderCodeForm,omitzero"`
	PaymentCreateTime string         `json:"paymentCreateTime"`
}

type orderCodeForm struct {
	CodeDetails []codeDetail `json:"codeDetails"`
	ExpireTime  string       `json:"expireTime,omitzero"`
}

type codeDetail struct {
	CodeValueType string `json:"codeValueType"`
	DisplayType   string `json:"displayType"`
	CodeValue     string `json:"codeValue"`
}

func (s *Server) pay(c *call) any {
	var req payRequest
	if err := decode(c, &req); err != nil {
		return refuse(s.opt.Codes.BadRequest, "%v", err)
	}
	if wrong := s.checkPay(c, &req); wrong != "" {
		return refuse(s.opt.Codes.BadRequest, "%s", wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.findLocked(req.PaymentRequestID); o != nil {
		if o.request != string(c.body) {
			return refuse(s.opt.Codes.Reused, "the paymentRequestId was used for another payment")
		}
		return s.payAnswerLocked(o)
	}
	now := s.opt.Now()
	o := &Order{
		PaymentID: newID(), PaymentRequestID: req.PaymentRequestID, Amount: req.PaymentAmount, Status: Processing,
		Description: req.Order.OrderDescription, Method: req.PaymentMethod.Type, ProductCode: req.ProductCode, Terminal: req.Env.TerminalType,
		NotifyURL: req.PaymentNotifyURL, RedirectURL: req.PaymentRedirectURL, CreatedAt: now,
		request: string(c.body), base: c.base,
	}
	o.Link = s.opt.BaseURL + "/wallet/" + o.PaymentID
	if s.opt.OrderTimeout > 0 {
		o.ExpiresAt = now.Add(s.opt.OrderTimeout)
	}
	s.orders = append(s.orders, o)
	return s.payAnswerLocked(o)
}

// payAnswerLocked answers pay, and again for the same request: then with the
// order as it is now.
func (s *Server) payAnswerLocked(o *Order) payAnswer {
	a := payAnswer{PaymentRequestID: o.PaymentRequestID, PaymentID: o.PaymentID, PaymentCreateTime: apiTime(o.CreatedAt)}
	a.Result = Result{"PAYMENT_IN_PROCESS", "U", "payment in process"}
	switch o.Status {
	case Processing, Pending:
	case Success:
		a.Result = success
		return a
	default:
		a.Result = Result{s.opt.Codes.Injected, "F", "the payment has ended"}
		return a
	}
	switch {
	case o.ProductCode == "IN_STORE_PAYMENT":
		form := orderCodeForm{CodeDetails: []codeDetail{{"QRCODE", "TEXT", o.Link}}}
		if !o.ExpiresAt.IsZero() {
			form.ExpireTime = apiTime(o.ExpiresAt)
		}
		a.OrderCodeForm = &form
	case o.Method == "ALIPAY_HK":
		a.NormalURL = o.Link
		if o.Terminal == "APP" {
			a.ApplinkURL = o.Link + "?applink"
		}
	default:
		a.NormalURL = o.Link
		if o.Terminal != "WEB" {
			a.SchemeURL = "alipays://sandbox/wallet/" + o.PaymentID
		}
	}
	return a
}

var wholeAmount = regexp.MustCompile(`^[1-9][0-9]{0,15}$`)

func (s *Server) checkPay(c *call, req *payRequest) string {
	store := req.ProductCode == "IN_STORE_PAYMENT"
	minor, _ := strconv.ParseInt(req.PaymentAmount.Value, 10, 64)
	switch {
	case len(req.PaymentRequestID) == 0 || len(req.PaymentRequestID) > 64:
		return "paymentRequestId must have 1 to 64 characters"
	case req.Order.ReferenceOrderID == "" || req.Order.OrderDescription == "":
		return "order.referenceOrderId and order.orderDescription are required"
	case !wholeAmount.MatchString(req.PaymentAmount.Value):
		return "paymentAmount.value must be a whole number of the smallest part"
	case req.Order.OrderAmount != req.PaymentAmount:
		return "order.orderAmount and paymentAmount differ"
	case !slices.Contains([]string{"HKD", "CNY"}, req.PaymentAmount.Currency):
		return "the currency is not in the contract"
	case req.PaymentAmount.Currency == "CNY" && minor < 10:
		return "at least 0.1 CNY"
	case s.sandbox() && store != (c.base == livePath):
		return "this product is under another path in the sandbox"
	case store:
		return checkStore(req)
	case req.ProductCode != "CASHIER_PAYMENT":
		return "productCode is not known"
	case !slices.Contains([]string{"ALIPAY_HK", "ALIPAY_CN"}, req.PaymentMethod.Type):
		return "paymentMethod.paymentMethodType is not known"
	case !slices.Contains([]string{"WEB", "WAP", "APP", "MINI_APP"}, req.Env.TerminalType):
		return "env.terminalType is not known"
	case !slices.Contains([]string{"", "IOS", "ANDROID"}, req.Env.OSType):
		return "env.osType is not known"
	case !absoluteURL(req.PaymentRedirectURL):
		return "paymentRedirectUrl must be an absolute URL"
	case req.PaymentNotifyURL != "" && !absoluteURL(req.PaymentNotifyURL):
		return "paymentNotifyUrl must be an absolute URL"
	}
	return ""
}

func checkStore(req *payRequest) string {
	switch {
	case req.PaymentFactor.Scenario != "OrderCode":
		return "this sandbox knows the scenario OrderCode only"
	case !slices.Contains([]string{"ALIPAY_HK", "ALIPAY_CN", "CONNECT_WALLET"}, req.PaymentMethod.Type):
		return "paymentMethod.paymentMethodType is not known"
	}
	return ""
}

func absoluteURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// newID returns an id of 32 digits.
func newID() string {
	n, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(32), nil))
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%032d", n)
}
