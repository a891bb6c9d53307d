# paymux. `make` lists the targets. Needs Go and git; what else a target can use
# it says itself.
SHELL := /bin/sh
GO ?= go
export CGO_ENABLED = 0

BIN := bin
COMMANDS := \
	paymux=./host/cmd/paymux \
	plugins/paymux-provider-example=./examples/provider-go \
	plugins/paymux-provider-alipayhk=./providers/alipayhk/cmd/paymux-provider-alipayhk \
	plugins/paymux-provider-antom=./providers/antom/cmd/paymux-provider-antom \
	plugins/paymux-provider-stripe=./providers/stripe/cmd/paymux-provider-stripe \
	plugins/paymux-provider-airwallex=./providers/airwallex/cmd/paymux-provider-airwallex \
	sandbox=./examples/sandbox \
	shop=./examples/shop \
	demo=./examples/demo \
	swap=./examples/swap
TOOL := $(GO) tool -modfile=.tools/go.mod
ROOT_TOOL := $(GO) tool -modfile=$(CURDIR)/.tools/go.mod

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: modules
modules:
	@echo "==> fetching modules (the first time: a minute or two; later: nothing)"
	@$(GO) list -deps -test ./... >/dev/null

.PHONY: build
build: modules ## build paymux, its plugins and the examples into bin/
	@mkdir -p $(BIN)/plugins
	@for c in $(COMMANDS); do \
		out=$(BIN)/$${c%%=*}; pkg=$${c#*=}; \
		printf '==> building %-42s' "$$out"; begun=$$(date +%s); \
		$(GO) build -trimpath -o "$$out" "$$pkg" || exit 1; \
		echo " $$(( $$(date +%s) - begun )) s"; \
	done

.PHONY: demo
demo: build ## buy tea with AlipayHK in a sandbox; ONCE=1 ends after the payment
	@$(BIN)/demo $(if $(filter-out 0,$(ONCE)),-once)

PAYMENTS ?= 200

.PHONY: swap
swap: build ## change acquirers under traffic by editing a config; PAYMENTS=n in each phase
	@$(BIN)/swap -payments $(PAYMENTS)

.PHONY: test
test: modules ## run all tests; says what it had to skip
	@GO="$(GO)" .ci/test

# Folders with a package-lock.json.
ORACLES := providers/airwallex/airwallextest/testdata/node providers/stripe/oracles examples/provider-node

.PHONY: oracles
oracles: ## fetch what tests in other languages need: acquirers' clients and mocks, gRPC for Node (needs npm)
	@command -v npm >/dev/null || { echo "there is no npm (apt-get install nodejs npm)"; exit 1; }
	@for d in $(ORACLES); do echo "==> npm ci in $$d"; (cd "$$d" && npm ci --ignore-scripts --no-audit --no-fund) || exit 1; done
	@echo "==> stripe: its mock and its client for Go"; cd providers/stripe/oracles && $(GO) build -buildvcs=false -o /dev/null ./sign github.com/stripe/stripe-mock

.PHONY: lint
lint: ## vet, staticcheck, gofmt, buf lint
	@echo "==> gofmt"; out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofmt -w $$out"; exit 1; }
	@echo "==> go vet"; $(GO) vet ./...
	@echo "==> staticcheck (building the tools takes some minutes the first time)"; $(TOOL) staticcheck ./...
	@echo "==> buf lint"; cd sdk/wire && $(ROOT_TOOL) buf lint

.PHONY: chaos
chaos: modules ## kill hosts, plugins, databases and disks amid payments (minutes)
	@echo "==> chaos: every point; the report comes at the end"
	@cd host/internal/chaos && CHAOS=full $(GO) test -count=1 -timeout 40m
	@cd host/internal/process && CHAOS=full $(GO) test -count=1 -timeout 10m -run ManyStarts

SEEDS ?= 10000

.PHONY: sim
sim: modules ## simulate hosts, acquirers and faults; SEEDS=n, SEED=x replays one
	@cd host && $(GO) test -run '^TestSim$$' -count=1 -timeout 60m $(if $(SEED),-v -sim.trace -sim.first=$(SEED) -sim.seeds=1,-sim.report -sim.seeds=$(SEEDS))

.PHONY: sim-mutants
sim-mutants: modules ## break the code on purpose; the simulation must notice each time
	@cd .tools && $(GO) run ./simmutants -root ..

.PHONY: bench
bench: ## run the benchmarks
	@dirs=$$(git grep -lE '^func Benchmark' -- '*_test.go' | xargs -r -n1 dirname | sort -u | sed 's|^|./|'); \
	if [ -z "$$dirs" ]; then echo "there are no benchmarks yet"; else $(GO) test -run '^$$' -bench . -benchmem $$dirs; fi

.PHONY: generate
generate: ## write generated files anew
	@echo "==> buf generate (building the tools takes some minutes the first time)"; cd sdk/wire && $(ROOT_TOOL) buf generate
	@echo "==> sqlc generate"; cd host/internal/store && $(ROOT_TOOL) sqlc generate
	@echo "==> docs"; $(GO) test ./sdk -run TestErrorsDoc -update
	@$(GO) test ./providers/airwallex ./providers/antom ./providers/stripe -run TestDoc -update
	@$(GO) test ./examples/internal/acquirers -run TestCapabilitiesDoc -update
	@$(GO) test ./host/conformance -run TestDocs -update
	@$(GO) test ./host/internal/scaffold -run 'TestTemplate|TestTutorial' -update

GENERATED := sdk/wire/providerv1 host/internal/store/sqlgen docs/errors.md docs/capabilities.md docs/providers docs/conformance.md docs/write-a-provider.md host/internal/scaffold/_template

.PHONY: verify
verify: generate ## fail if generated files are old or the wire protocol broke
	@echo "==> generated files"; out=$$(git status --porcelain -- $(GENERATED)) || exit 1; \
	test -z "$$out" || { git --no-pager diff -- $(GENERATED); echo "generated files differ from what is committed; commit what make generate wrote:"; echo "$$out"; exit 1; }
	@echo "==> go.mod"; $(GO) mod tidy -diff && $(GO) mod verify
	@echo "==> mutants apply"; cd .tools && $(GO) test ./simmutants
	@echo "==> buf breaking"; cd sdk/wire && $(ROOT_TOOL) buf breaking --against baseline.binpb

.PHONY: baseline
baseline: ## take today's wire protocol as what may not break (only add to it)
	@cd sdk/wire && $(ROOT_TOOL) buf build -o baseline.binpb

.PHONY: screenshots
screenshots: ## make the pictures in docs/img anew (needs Chromium)
	@SHOP_SCREENSHOTS=$(CURDIR)/docs/img $(GO) test ./examples/shop -run TestJourney -count=1
	@cd .tools && $(GO) run ./shrinkpng ../docs/img/*.png

.PHONY: clean
clean: ## remove what was built and the demo's state
	rm -rf $(BIN) .demo
