package config_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/paymux/paymux/host/config"
)

func ExampleParse() {
	data := `
providers:
  awx: {plugin: airwallex, config: {api_key: "${env:AWX_KEY}"}}
routes:
  - {currencies: [HKD], providers: [awx]}
`
	env := func(name string) (string, bool) { return "from " + name, true }
	cfg, err := config.Parse("paymux.yaml", []byte(data), "/etc/paymux", env)
	if err != nil {
		fmt.Println(err)
		return
	}
	awx := cfg.Providers[0]
	fmt.Println(awx.Name, awx.Plugin, awx.Config)
	fmt.Println(awx.Config.Reveal())
	fmt.Println(cfg.AtConfig("awx", "/api_key", "expected 40 characters"))
	// Output:
	// awx airwallex [redacted]
	// {"api_key":"from AWX_KEY"}
	// paymux.yaml:3:46: providers.awx.config.api_key: expected 40 characters
}

func ExampleLoad() {
	dir, err := os.MkdirTemp("", "paymux")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "paymux.yaml")
	data := "listen: '${env:LISTEN}'\nproviders: {awx: {plugin: airwallex}}\n"
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	// Without WithEnv it reads the environment of the process.
	env := func(string) (string, bool) { return "127.0.0.1:9000", true }
	cfg, err := config.Load(path, config.WithEnv(env))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cfg.PublicURL, cfg.Warnings()[0].Message)
	// Output:
	// http://127.0.0.1:9000 no routes: every payment must name its provider
}

func ExampleErrors() {
	data := `listen: 8080
providers:
  awx: {plugin: airwallex, acepting: yes}
`
	_, err := config.Parse("paymux.yaml", []byte(data), ".", nil)
	fmt.Println(err)
	// Output:
	// paymux.yaml:1:9: listen: found a number; expected host:port as a string, such as "127.0.0.1:8080"; write it in quotes
	// paymux.yaml:3:28: providers.awx.acepting: unknown key; did you mean "accepting"?
}

func ExampleNewSecret() {
	s := config.NewSecret("hunter2")
	fmt.Printf("%v %#v %x\n", s, s, s)
	fmt.Println(s.Reveal())
	// Output:
	// [redacted] [redacted] [redacted]
	// hunter2
}
