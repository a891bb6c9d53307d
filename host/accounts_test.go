package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/sdk"
)

// TestPluginThatCantRun: a plugin that is missing, or that the lock file doesn't
// pin, takes down its own providers only; the host says why.
func TestPluginThatCantRun(t *testing.T) {
	for _, c := range []struct{ name, lock, want string }{
		{"missing", "", "there is no plugin at "},
		{"not pinned", `{"version":1,"plugins":{}}`, "doesn't pin plugin fake"},
		{"another digest", `{"version":1,"plugins":{"fake":{"version":"1.0.0","sha256":{"linux/amd64":"` + strings.Repeat("0", 64) + `","linux/arm64":"` + strings.Repeat("0", 64) + `","darwin/arm64":"` + strings.Repeat("0", 64) + `"}}}}`, "but the lock file pins"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if c.lock != "" {
				writeFile(t, filepath.Join(dir, "paymux.lock"), c.lock)
				writeFile(t, filepath.Join(dir, "bin", "plugins", "paymux-provider-fake"), "not a binary")
			}
			cfg, err := config.Parse("paymux.yaml", []byte(worldConfig), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			h, err := Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close(context.Background())
			info, err := h.Provider("shop-a", "one")
			if err != nil || info.Ready || !strings.Contains(info.Error, c.want) {
				t.Errorf("%+v, %v", info, err)
			}
			_, err = h.Create(t.Context(), "shop-a", request("o1"))
			if e := sdk.AsError(err); e == nil || e.Code != sdk.CodePluginUnavailable || e.Outcome != sdk.OutcomeNotSent || e.RetryAfter == 0 {
				t.Errorf("Create: %v", err)
			}
			if err := h.Ready(t.Context()); err != nil { // it still answers for payments and keeps notifications
				t.Errorf("Ready: %v", err)
			}
		})
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestConfigRefused: a config that the plugin's schema refuses stops the start,
// with the place in the file.
func TestConfigRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.close()
		text := strings.Replace(worldConfig, `{uid: "2", secret: hush-hush}`, `{uid: "2", secrets: hush-hush}`, 1)
		var err error
		if w.cfg, err = config.Parse("paymux.yaml", []byte(text), t.TempDir(), nil); err != nil {
			t.Fatal(err)
		}
		service := w.dial()
		_, err = Open(t.Context(), w.cfg, w.options(service))
		bad, ok := errors.AsType[config.Errors](err)
		if !ok || !strings.Contains(bad.Error(), "paymux.yaml:8:") || !strings.Contains(bad.Error(), "secrets") || strings.Contains(bad.Error(), "hush-hush") {
			t.Errorf("%v", err)
		}
		for _, stop := range w.stop {
			stop()
		}
	})
}

// TestPluginComesLater: what didn't answer at the start is used once it does.
func TestPluginComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.pay("o1")
		w.close()
		w.setDown("one", true)
		w.open()
		defer w.close()
		if info, _ := w.Provider("shop-a", "one"); info.Error == "" {
			t.Error("the provider that is down has no error")
		}
		w.setDown("one", false)
		w.one.says(sdk.StatusSucceeded)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusSucceeded)
		if info, _ := w.Provider("shop-a", "one"); info.Error != "" || info.Account == "" {
			t.Errorf("%+v", info)
		}
	})
}

// TestLeakyPlugin: a secret in a plugin's error reaches neither log, nor store,
// nor caller.
func TestLeakyPlugin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.redact.add("tell-nobody")
		w.one.fails(sdk.Refused(sdk.CodeRefused, "GET https://acquirer.example.com/?key=tell-nobody failed"))
		c := w.pay("o1")
		p := w.is(c.Payment.ID, sdk.StatusFailed)
		w.close()
		for _, text := range []string{c.Err.Error(), p.StatusReason, p.Timeline[1].Detail, w.log.String()} {
			if strings.Contains(text, "tell-nobody") || !strings.Contains(text, "[redacted]") {
				t.Errorf("leaked: %s", text)
			}
		}
	})
}
