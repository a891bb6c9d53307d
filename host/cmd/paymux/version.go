package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/paymux/paymux/sdk/wire"
)

type versionCommand struct{ jsonFlag }

// build is what the binary knows of itself.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source
	Time     string `json:"time,omitempty"`     // of the revision, RFC 3339
	Modified bool   `json:"modified"`           // the source differed from the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Protocol int    `json:"plugin_protocol"`
}

func buildOf(info *debug.BuildInfo) build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Protocol: wire.Protocol}
	if info == nil {
		return b
	}
	b.Version = cmp.Or(info.Main.Version, b.Version)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func thisBuild() build {
	info, _ := debug.ReadBuildInfo()
	return buildOf(info)
}

// Run prints the version.
func (c versionCommand) Run(a *app) error {
	b := thisBuild()
	if c.JSON {
		return a.printJSON(b)
	}
	revision := b.Revision
	if b.Modified {
		revision += ", modified"
	}
	a.printf("paymux %s\n", b.Version)
	a.fields("revision", revision, "of", b.Time, "go", b.Go+" "+b.Platform, "plugins", fmt.Sprintf("protocol %d", b.Protocol))
	return nil
}
