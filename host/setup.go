package host

import (
	"github.com/paymux/paymux/host/config"
)

// setup is a config and what was made of it. A reload makes another one and puts
// it in the place of this: what has begun with the old one ends with it.
type setup struct {
	cfg       *config.Config
	names     []string            // of providers, in the file's order
	accounts  map[string]*account // by provider
	sharing   map[*child]int      // how many providers each process serves
	endpoints endpoints
}

func newSetup(cfg *config.Config) *setup {
	return &setup{cfg: cfg, accounts: map[string]*account{}, sharing: map[*child]int{}, endpoints: endpointsOf(cfg.Events)}
}

func (s *setup) add(a *account) {
	s.names = append(s.names, a.cfg.Name)
	s.accounts[a.cfg.Name] = a
	if a.process != nil {
		s.sharing[a.process]++
	}
}

// now is the setup in force. Who needs more than one thing of it reads it once.
func (h *Host) now() *setup { return h.current.Load() }

// account is a configured provider; nil if there is none of the name.
func (h *Host) account(name string) *account { return h.now().accounts[name] }
