package acquirers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Plugins are the names of the plugins behind the acquirers.
var Plugins = []string{"alipayhk", "airwallex", "antom", "stripe"}

// Build builds paymux and the plugins into dir, as make build does into bin.
func Build(dir string) error {
	args := []string{"build", "-trimpath", "-o", filepath.Join(dir, "plugins") + string(filepath.Separator)}
	for _, name := range Plugins {
		args = append(args, "github.com/paymux/paymux/providers/"+name+"/cmd/paymux-provider-"+name)
	}
	for _, args := range [][]string{args, {"build", "-trimpath", "-o", filepath.Join(dir, "paymux"), "github.com/paymux/paymux/host/cmd/paymux"}} {
		build := exec.Command("go", args...)
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it ships
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go %v: %w\n%s", args, err, out)
		}
	}
	return nil
}
