package acquirers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Plugins are the names of the plugins behind the acquirers.
var Plugins = []string{"alipayhk", "airwallex", "antom", "stripe"}

const module = "github.com/paymux/paymux/"

// Build builds paymux and the plugins into dir, as make build does into bin.
func Build(dir string) error {
	if err := BuildPlugins(filepath.Join(dir, "plugins")); err != nil {
		return err
	}
	return goBuild(filepath.Join(dir, "paymux"), module+"host/cmd/paymux")
}

// BuildPlugins builds the plugins into dir.
func BuildPlugins(dir string) error {
	var packages []string
	for _, name := range Plugins {
		packages = append(packages, module+"providers/"+name+"/cmd/paymux-provider-"+name)
	}
	return goBuild(dir+string(filepath.Separator), packages...)
}

func goBuild(out string, packages ...string) error {
	build := exec.Command("go", append([]string{"build", "-trimpath", "-o", out}, packages...)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it ships
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build.Args, err, text)
	}
	return nil
}
