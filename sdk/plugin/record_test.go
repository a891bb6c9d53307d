package plugin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// teller sends its secret to the acquirer, where that one may be told it.
type teller struct {
	sdk.Provider
	client  *acquirer.Client
	url, id string
}

func (p teller) Authorize(ctx context.Context) (sdk.Grant, error) {
	tokens := acquirer.NewTokenSource(func(ctx context.Context) (acquirer.Token, error) { return acquirer.Token{}, p.get(ctx) }, nil)
	_, err := tokens.Token(ctx) // which fetches on its own time, and is recorded all the same
	return sdk.Grant{}, err
}

func (p teller) get(ctx context.Context) error {
	req, err := acquirer.NewRequest(ctx, http.MethodGet, p.url+"/"+p.id+"?note="+p.id+"-secret", "", nil)
	if err == nil {
		_, err = p.client.Do(ctx, req)
	}
	return err
}

func (p teller) ParseNotification(context.Context, sdk.HTTPRequest) (sdk.Notification, error) {
	return sdk.Notification{Ack: sdk.HTTPResponse{Status: 200}}, nil
}

// Each instance is recorded without the secrets of its own config.
func TestRecording(t *testing.T) {
	acquirerServer := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer acquirerServer.Close()
	client := acquirer.NewClient(acquirer.Options{})
	defer client.Close()
	path := filepath.Join(t.TempDir(), "transcript.jsonl")
	recorder, err := record([]string{"x", recordFlag + path})
	if err != nil {
		t.Fatal(err)
	}
	server, err := NewServer(sdk.Plugin{
		Info: sdk.Info{Name: "teller", Version: "1"},
		ConfigSchema: `{"type":"object","additionalProperties":false,"required":["uid"],"properties":{
			"uid":{"type":"string","x-paymux-account":true},"key":{"type":"string","writeOnly":true}}}`,
		Capabilities: sdk.Capabilities{
			Rows:      []sdk.Capability{{Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Currency: "HKD", Actions: []sdk.ActionType{sdk.ActionRedirect}}},
			QueryKeys: []sdk.QueryKey{sdk.QueryByMerchantOrder},
		},
		Open: func(_ context.Context, c sdk.Config) (sdk.Provider, error) {
			return teller{client: client, url: acquirerServer.URL, id: c.Name()}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server.recorder = recorder
	for _, id := range []string{"one", "two"} {
		in := &pb.Instance{Name: id, ConfigDigest: "d"}
		if _, err := server.Configure(t.Context(), &pb.ConfigureRequest{Instance: in, Config: []byte(`{"uid":"u","key":"` + id + `-secret"}`)}); err != nil {
			t.Fatal(err)
		}
		for _, request := range []any{&pb.AuthorizeRequest{Instance: in}, &pb.ParseNotificationRequest{Instance: in, Request: &pb.HttpRequest{Method: "POST", Path: "/n", Body: []byte(`{"a":"` + id + `-secret"}`)}}} {
			_, err := server.recording(t.Context(), request, nil, func(ctx context.Context, request any) (any, error) {
				if r, ok := request.(*pb.AuthorizeRequest); ok {
					return server.Authorize(ctx, r)
				}
				return server.ParseNotification(ctx, request.(*pb.ParseNotificationRequest))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || recorder.Err() != nil {
		t.Fatal(err, recorder.Err())
	}
	if strings.Contains(string(text), "-secret") || strings.Count(string(text), "redacted") != 4 || strings.Count(string(text), "\n") != 4 {
		t.Errorf("%s", text)
	}
	if _, err := transcript.NewReplayer(strings.NewReader(string(text)), transcript.Options{}); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestRecordArguments(t *testing.T) {
	if r, err := record([]string{"--paymux-recorded", "x"}); r != nil || err != nil {
		t.Errorf("%v, %v", r, err)
	}
	path := filepath.Join(t.TempDir(), "old")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, "", filepath.Join(path, "x")} {
		if _, err := record([]string{recordFlag + file}); err == nil {
			t.Errorf("%q is taken", file)
		}
	}
}
