package wire

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// Description is what Describe answers.
type Description struct {
	Info         sdk.Info
	ConfigSchema string
	Capabilities sdk.Capabilities
}

// DescriptionToProto converts.
func DescriptionToProto(d Description) *pb.DescribeResponse {
	c := d.Capabilities
	out := &pb.DescribeResponse{
		Name: text(d.Info.Name), Version: text(d.Info.Version), Acquirer: text(d.Info.Acquirer), DocsUrl: text(d.Info.DocsURL),
		ConfigSchema: text(d.ConfigSchema),
		Capabilities: &pb.Capabilities{
			NotifyUrl: pb.NotifyUrlMode(c.NotifyURL), NotificationAuth: pb.NotificationAuth(c.NotificationAuth),
			NotFoundSettling: durationToProto(c.NotFoundSettling),
			CreateRetry:      &pb.CreateRetry{Native: c.CreateRetry.Native, Window: durationToProto(c.CreateRetry.Window)},
		},
	}
	for _, k := range c.QueryKeys {
		out.Capabilities.QueryKeys = append(out.Capabilities.QueryKeys, pb.QueryKey(k))
	}
	for _, d := range c.Polling {
		out.Capabilities.Polling = append(out.Capabilities.Polling, durationpb.New(d))
	}
	for _, row := range c.Rows {
		r := &pb.Capability{
			Method: text(string(row.Method)), Flow: text(string(row.Flow)), Currency: text(row.Currency),
			Min: MoneyToProto(row.Min), Max: MoneyToProto(row.Max),
		}
		for _, a := range row.Actions {
			r.Actions = append(r.Actions, text(string(a)))
		}
		out.Capabilities.Rows = append(out.Capabilities.Rows, r)
	}
	return out
}

// DescriptionFromProto converts. A bound that isn't an amount is an error: a
// limit that is silently lost would let payments through. Steps of the polling
// plan are at least a second.
func DescriptionFromProto(d *pb.DescribeResponse) (Description, error) {
	c := d.GetCapabilities()
	out := Description{
		Info:         sdk.Info{Name: d.GetName(), Version: d.GetVersion(), Acquirer: d.GetAcquirer(), DocsURL: d.GetDocsUrl()},
		ConfigSchema: d.GetConfigSchema(),
		Capabilities: sdk.Capabilities{
			NotFoundSettling: max(0, c.GetNotFoundSettling().AsDuration()),
			CreateRetry:      sdk.CreateRetry{Native: c.GetCreateRetry().GetNative(), Window: max(0, c.GetCreateRetry().GetWindow().AsDuration())},
		},
	}
	if c.GetNotifyUrl() == pb.NotifyUrlMode_NOTIFY_URL_MODE_PER_PAYMENT {
		out.Capabilities.NotifyURL = sdk.NotifyURLPerPayment
	}
	if a := c.GetNotificationAuth(); a == pb.NotificationAuth_NOTIFICATION_AUTH_SHARED_SECRET || a == pb.NotificationAuth_NOTIFICATION_AUTH_PUBLIC_KEY {
		out.Capabilities.NotificationAuth = sdk.NotificationAuth(a)
	}
	for _, k := range c.GetQueryKeys() {
		if k == pb.QueryKey_QUERY_KEY_ACQUIRER_ORDER || k == pb.QueryKey_QUERY_KEY_MERCHANT_ORDER {
			out.Capabilities.QueryKeys = append(out.Capabilities.QueryKeys, sdk.QueryKey(k))
		}
	}
	for _, d := range c.GetPolling() {
		out.Capabilities.Polling = append(out.Capabilities.Polling, max(time.Second, d.AsDuration()))
	}
	for _, r := range c.GetRows() {
		row, err := capabilityFromProto(r)
		if err != nil {
			return Description{}, err
		}
		out.Capabilities.Rows = append(out.Capabilities.Rows, row)
	}
	return out, nil
}

func capabilityFromProto(r *pb.Capability) (sdk.Capability, error) {
	row := sdk.Capability{Method: sdk.Method(r.GetMethod()), Flow: sdk.Flow(r.GetFlow()), Currency: r.GetCurrency()}
	for _, a := range r.GetActions() {
		row.Actions = append(row.Actions, sdk.ActionType(a))
	}
	for _, bound := range []struct {
		from *pb.Money
		into *sdk.Money
	}{{r.GetMin(), &row.Min}, {r.GetMax(), &row.Max}} {
		money, err := MoneyFromProto(bound.from)
		if err == nil && !money.IsZero() && money.Currency() != row.Currency {
			err = fmt.Errorf("a bound in %s in a row for %q", money.Currency(), row.Currency)
		}
		if err != nil {
			return sdk.Capability{}, garbled(err)
		}
		*bound.into = money
	}
	return row, nil
}
