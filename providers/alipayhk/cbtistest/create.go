package cbtistest

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxString is the length of a string(32) field.
const maxString = 32

type createRequest struct {
	Amount          string        `json:"amount"`
	Currency        string        `json:"currency"`
	MerchantOrderID string        `json:"merchant_order_id"`
	Description     string        `json:"description"`
	NotifyURL       string        `json:"notify_url"`
	ReturnURL       string        `json:"return_url"`
	PaymentMethod   paymentMethod `json:"payment_method"`
}

type paymentMethod struct {
	Type     string         `json:"type"`
	AlipayHK *walletOptions `json:"alipayhk"`
	Wechat   *walletOptions `json:"wechat"` // where the documentation's sample puts them by mistake
}

type walletOptions struct {
	Flow   string `json:"flow"`
	Wallet string `json:"payment_method"`
}

// createData answers create, in the order of the sample.
type createData struct {
	OrderID         string     `json:"order_id"`
	MerchantOrderID string     `json:"merchant_order_id"`
	Amount          string     `json:"amount"`
	Currency        string     `json:"currency"`
	CreateTime      string     `json:"create_time"`
	NextAction      nextAction `json:"next_action"`
	Status          Status     `json:"status"`
}

// nextAction carries the link under one of three keys.
type nextAction struct {
	Type        string `json:"type"`
	URL         string `json:"url,omitzero"`
	QRCodeURL   string `json:"qrcode_url,omitzero"`
	RedirectURL string `json:"redirect_url,omitzero"`
}

func (s *Server) create(c *call) (any, *refusal) {
	var req createRequest
	if no := s.decode(c, &req); no != nil {
		return nil, no
	}
	if no := s.checkCreate(&req); no != nil {
		return nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.findMerchantLocked(req.MerchantOrderID); old != nil {
		switch {
		case s.opt.DuplicateOrder == ReturnSame && old.sameAs(&req):
			return s.created(old), nil
		case s.opt.DuplicateOrder != CreateSecond:
			return nil, refuse(s.opt.Codes.DuplicateOrder, "merchant_order_id %q was used before", req.MerchantOrderID)
		}
	}
	o := s.newOrderLocked(&req, c.r.Host)
	s.db.Orders = append(s.db.Orders, o)
	s.db.index(o)
	if err := s.saveLocked(); err != nil {
		return nil, s.unsaved()
	}
	return s.created(o), nil
}

func (s *Server) findMerchantLocked(id string) *Order {
	o := s.db.byMerchant[id]
	if o != nil {
		s.expireLocked(o)
	}
	return o
}

func (s *Server) newOrderLocked(req *createRequest, host string) *Order {
	id, now := s.newIDLocked(), s.opt.Now()
	return &Order{
		ID: id, MerchantOrderID: req.MerchantOrderID,
		Amount: req.Amount, Currency: req.Currency, Description: req.Description,
		Wallet: req.PaymentMethod.AlipayHK.Wallet, Flow: req.PaymentMethod.AlipayHK.Flow,
		NotifyURL: req.NotifyURL, ReturnURL: req.ReturnURL,
		Link:   cmp.Or(s.opt.BaseURL, "http://"+host) + "/wallet/" + id,
		Status: Pending, CreatedAt: now, ExpiresAt: s.expiry(now),
	}
}

// sameAs says whether a repeated request asks for this very order.
func (o *Order) sameAs(req *createRequest) bool {
	return number(o.Amount).Equal(number(req.Amount)) && o.Currency == req.Currency &&
		o.Description == req.Description && o.Wallet == req.PaymentMethod.AlipayHK.Wallet &&
		o.Flow == req.PaymentMethod.AlipayHK.Flow && o.NotifyURL == req.NotifyURL && o.ReturnURL == req.ReturnURL
}

func (s *Server) created(o *Order) createData {
	next := nextAction{Type: "render_qrcode"}
	if o.Flow == "mobile_web" {
		next.Type = "redirect"
	}
	switch s.opt.LinkKey {
	case LinkQRCodeURL:
		next.QRCodeURL = o.Link
	case LinkRedirectURL:
		next.RedirectURL = o.Link
	default:
		next.URL = o.Link
	}
	return createData{
		OrderID: o.ID, MerchantOrderID: o.MerchantOrderID, Amount: o.Amount, Currency: o.Currency,
		CreateTime: s.apiTime(o.CreatedAt), NextAction: next, Status: o.Status,
	}
}

func (s *Server) checkCreate(req *createRequest) *refusal {
	codes := s.opt.Codes
	no := cmp.Or(
		s.required("amount", req.Amount), s.required("currency", req.Currency),
		s.required("merchant_order_id", req.MerchantOrderID), s.required("description", req.Description),
		s.limited("currency", req.Currency, maxString), s.limited("merchant_order_id", req.MerchantOrderID, maxString),
		s.checkAmount(req.Amount), s.checkURL("notify_url", req.NotifyURL), s.checkReturnURL(req.ReturnURL),
	)
	if no != nil {
		return no
	}
	if req.Currency != "HKD" {
		return refuse(codes.UnsupportedCurrency, "currency %q: alipayhk supports HKD only", req.Currency)
	}
	return s.checkMethod(&req.PaymentMethod)
}

func (s *Server) checkMethod(m *paymentMethod) *refusal {
	codes := s.opt.Codes
	if m.Type == "" {
		return refuse(codes.MissingField, "payment_method.type is required")
	}
	if m.Type != "alipayhk" {
		return refuse(codes.UnsupportedMethod, "payment_method.type %q is not known", m.Type)
	}
	if m.Wechat != nil && m.AlipayHK == nil && s.opt.AcceptWechatKey {
		m.AlipayHK, m.Wechat = m.Wechat, nil
	}
	if m.Wechat != nil {
		return refuse(codes.BadRequest, "payment_method.wechat does not belong to type alipayhk: the options go under payment_method.alipayhk")
	}
	if m.AlipayHK == nil {
		return refuse(codes.MissingField, "payment_method.alipayhk is required")
	}
	if no := cmp.Or(s.required("payment_method.alipayhk.flow", m.AlipayHK.Flow),
		s.required("payment_method.alipayhk.payment_method", m.AlipayHK.Wallet)); no != nil {
		return no
	}
	if !slices.Contains([]string{"mobile_web", "web_qrcode", "csb_qrcode"}, m.AlipayHK.Flow) {
		return refuse(codes.UnsupportedMethod, "flow %q is not known", m.AlipayHK.Flow)
	}
	if !slices.Contains([]string{"ALIPAYHK", "ALIPAYCN"}, m.AlipayHK.Wallet) {
		return refuse(codes.UnsupportedMethod, "wallet %q is not known", m.AlipayHK.Wallet)
	}
	return nil
}

var (
	majorAmount = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]{1,2})?$`)
	minorAmount = regexp.MustCompile(`^[1-9][0-9]*$`)
)

func (s *Server) checkAmount(amount string) *refusal {
	if no := s.limited("amount", amount, maxString); no != nil {
		return no
	}
	grammar, want := majorAmount, "a number with at most two decimals"
	if s.opt.AmountUnit == Minor {
		grammar, want = minorAmount, "a whole number of cents"
	}
	if !grammar.MatchString(amount) || !number(amount).IsPositive() {
		return refuse(s.opt.Codes.InvalidField, "amount %q is not %s above zero", amount, want)
	}
	return nil
}

func (s *Server) required(name, value string) *refusal {
	if value == "" {
		return refuse(s.opt.Codes.MissingField, "%s is required", name)
	}
	return nil
}

func (s *Server) limited(name, value string, limit int) *refusal {
	if utf8.RuneCountInString(value) > limit {
		return refuse(s.opt.Codes.InvalidField, "%s is longer than %d characters", name, limit)
	}
	return nil
}

func (s *Server) checkURL(name, value string) *refusal {
	if value != "" && !absoluteURL(value) {
		return refuse(s.opt.Codes.InvalidField, "%s is not an absolute http or https URL", name)
	}
	return nil
}

// checkReturnURL holds return_url to the domains registered for H5.
func (s *Server) checkReturnURL(value string) *refusal {
	if no := s.checkURL("return_url", value); no != nil || value == "" || len(s.opt.ReturnDomains) == 0 {
		return no
	}
	u, _ := url.Parse(value) // parsed once already
	host := strings.ToLower(u.Hostname())
	for _, domain := range s.opt.ReturnDomains {
		if domain = strings.ToLower(domain); host == domain || strings.HasSuffix(host, "."+domain) {
			return nil
		}
	}
	return refuse(s.opt.Codes.InvalidField, "the domain of return_url is not registered")
}

func absoluteURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}
