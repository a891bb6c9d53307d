package main

import (
	"path/filepath"
	"regexp"

	"github.com/paymux/paymux/host/internal/scaffold"
)

type newCommand struct {
	Name    string `arg:"" help:"The plugin's name, as in paymux-provider-NAME."`
	Dir     string `help:"The directory to write to: empty, or not there yet. Default: paymux-provider-NAME." placeholder:"DIR"`
	Module  string `help:"The path of the new Go module. Default: example.com/paymux-provider-NAME." placeholder:"PATH"`
	Replace string `help:"Build against this checkout of paymux instead of a release." placeholder:"DIR"`
	jsonFlag
}

// Help says more than the one line of the command.
func (newCommand) Help() string {
	return "Writes a Go module with a provider that works, a sandbox of its acquirer, and the conformance test. " +
		"A TODO(acquirer) marks each fact of an invented acquirer: put yours in its place. docs/write-a-provider.md goes through it."
}

// newReport is the --json of a new plugin.
type newReport struct {
	Plugin string   `json:"plugin"`
	Dir    string   `json:"dir"`
	Module string   `json:"module"`
	Files  []string `json:"files"`
	Todos  int      `json:"todos"`
}

// release is a version that can be required: no checkout with changes.
var release = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

// Run writes the module.
func (c newCommand) Run(a *app) error {
	o := scaffold.Options{Name: c.Name, Dir: c.Dir, Module: c.Module}
	if o.Dir == "" {
		o.Dir = "paymux-provider-" + c.Name
	}
	if o.Module == "" {
		o.Module = "example.com/paymux-provider-" + c.Name
	}
	if version := thisBuild().Version; release.MatchString(version) {
		o.Version = version
	}
	if c.Replace != "" {
		checkout, err := filepath.Abs(c.Replace) // go.mod wants it so, or relative to the module
		if err != nil {
			return err
		}
		o.Replace = checkout
	}
	if err := o.Check(); err != nil {
		return usageError("%w", err)
	}
	r, err := scaffold.New(o)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(newReport{o.Name, o.Dir, o.Module, r.Files, r.Todos})
	}
	a.printf("wrote %s: %d files of module %s\n\nnext:\n", plain(o.Dir), len(r.Files), o.Module)
	a.printf("  cd %s\n", plain(o.Dir))
	if o.Version == "" && o.Replace == "" {
		a.printf("  go mod edit -replace %s=CHECKOUT   # this paymux is no release: where its source is\n", scaffold.SDKModule)
	}
	a.printf("  go mod tidy\n  go test ./...\n  grep -rn 'TODO(acquirer)' --include='*.go' .   # %d facts to put in\n", r.Todos)
	return nil
}
