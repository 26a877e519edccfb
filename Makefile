# Cadastre's tasks. `make help` lists them.
SHELL := /bin/bash
GO ?= go
BIN := bin/cadastre
# Longest time a whole test run may take on two cores.
TEST_TIMEOUT := 20m
# How long each fuzz target runs in fuzz-short.
FUZZ_TIME ?= 20s
# How long soak-faults injects faults.
SOAK_TIME ?= 10m
DEMO_DIR ?= dev-data
# Where and how many domains `make fill` makes.
FILL_DIR ?= fill-data
FILL_DOMAINS ?= 1000000

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build the program into bin/.
	$(GO) build -o $(BIN) ./cmd/cadastre

.PHONY: run
run: build ## Start a three-node cluster, leave it running and print what to try.
	$(BIN) dev --dir $(DEMO_DIR)

.PHONY: demo
demo: build ## Tell the main story on three real nodes, with measured times; under a minute.
	$(BIN) demo

.PHONY: test
test: ## Run all tests.
	$(GO) test -timeout $(TEST_TIMEOUT) ./...

.PHONY: race
race: ## Run all tests under the race detector.
	$(GO) test -race -timeout 30m ./...

.PHONY: lint
lint: ## Check format, vet, staticcheck and golangci-lint where installed.
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "not gofmt-ed: $$unformatted"; exit 1; fi
	$(GO) vet ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run ./...; \
	elif command -v staticcheck >/dev/null; then staticcheck ./...; \
	else echo "SKIPPED: neither golangci-lint nor staticcheck is installed (go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@latest)"; fi

.PHONY: tidy-check
tidy-check: ## Check that go.mod and go.sum are tidy.
	$(GO) mod tidy -diff

.PHONY: vuln
vuln: ## Look for known vulnerabilities where the database can be reached.
	@if ! command -v govulncheck >/dev/null; then echo "SKIPPED: govulncheck is not installed (go install golang.org/x/vuln/cmd/govulncheck@latest)"; \
	elif ! curl -fsS --max-time 10 -o /dev/null https://vuln.go.dev/index/modules.json; then echo "SKIPPED: the vulnerability database cannot be reached from here"; \
	else govulncheck ./...; fi

.PHONY: check
check: lint tidy-check vuln test ## Everything a change must pass.

.PHONY: generate
generate: ## Make the protobuf code anew (needs protoc, protoc-gen-go, protoc-gen-go-grpc).
	protoc -I . --go_out=. --go_opt=paths=source_relative fsm/fsmpb/command.proto
	protoc -I . --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative cluster/clusterpb/cluster.proto

.PHONY: freeze-level
freeze-level: ## Keep the log's language as that of feature level LEVEL, before the next level begins.
	@test -n "$(LEVEL)" || { echo "say which: make freeze-level LEVEL=2"; exit 2; }
	protoc -I . --descriptor_set_out=fsm/levels/level$(LEVEL).binpb fsm/fsmpb/command.proto
	@echo "Now name it in fsm/level.go and raise registry.MaxFeatureLevel."

.PHONY: upgrade-data
upgrade-data: ## Keep a small data folder of release RELEASE, made by the present sources or PROGRAM.
	@test -n "$(RELEASE)" || { echo "say which: make upgrade-data RELEASE=v1.2.3 [PROGRAM=/path/to/its/cadastre]"; exit 2; }
	CADASTRE_UPGRADE_DATA=$(CURDIR)/testdata/upgrade/$(RELEASE) CADASTRE_UPGRADE_PROGRAM=$(PROGRAM) $(GO) test ./cmd/cadastre -run '^TestMakeUpgradeData$$' -count 1 -v

# How many delegations `make bench-sign` signs.
SIGN_DELEGATIONS ?= 1000000

.PHONY: bench-sign
bench-sign: ## The first signing of a zone of SIGN_DELEGATIONS delegations, then publications one by one; some minutes to fill it.
	$(GO) run ./bench/sign -domains $(SIGN_DELEGATIONS)

# How many delegations `make bench-import` imports.
IMPORT_DELEGATIONS ?= 1000000

.PHONY: bench-import
bench-import: ## Import a zone of IMPORT_DELEGATIONS delegations into a fresh cluster and report the rate.
	CADASTRE_BENCH_IMPORT=$(IMPORT_DELEGATIONS) $(GO) test ./cmd/cadastre -run '^TestImportZone$$' -count 1 -v -timeout 120m

.PHONY: fuzz-short
fuzz-short: ## Run every fuzz target for FUZZ_TIME each.
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ_TIME) $$pkg; \
	  done; done

.PHONY: bench
bench: ## Run the Go benchmarks.
	$(GO) test -run '^$$' -bench . -benchmem ./...

# How many domains `make bench-rdds` makes, and for how many seconds it asks for each figure.
RDDS_DOMAINS ?= 1000000
RDDS_SECONDS ?= 10

.PHONY: bench-rdds
bench-rdds: ## Measure RDAP and WHOIS on one core, beside nginx with a file of the same size (Debian: nginx-light).
	CADASTRE_BENCH_RDDS=$(RDDS_DOMAINS) CADASTRE_BENCH_SECONDS=$(RDDS_SECONDS) $(GO) test ./rdap -run '^TestBenchRDDS$$' -count 1 -v -timeout 60m

.PHONY: bench-publish
bench-publish: build ## Measure create acknowledged -> referral served by all nodes, over 500 creates.
	$(GO) run ./bench/publish -bin $(BIN)
	$(GO) run ./bench/publish -bin $(BIN) -rate 200 -n 6000

.PHONY: bench-failover
bench-failover: build ## Kill the leader under load ten times and measure the time to the next create.
	$(GO) run ./bench/failover -bin $(BIN)

.PHONY: soak-kill
soak-kill: build ## 200 rounds of kill -9 and restart of random nodes under load; up to 20 minutes.
	$(GO) run ./bench/soakkill -bin $(BIN)

.PHONY: soak-faults
soak-faults: build ## All faults of processes, networks and disks at random under load, SOAK_TIME long; needs root on Linux.
	nice -n 10 $(GO) run ./bench/soakfaults -bin $(BIN) -time $(SOAK_TIME)

.PHONY: model
model: ## A million random commands of five seeds against the plain model of the registry; about half an hour.
	set -e; for seed in 1 2 3 4 5; do $(GO) test ./fsm/model -run TestAgainstModel -commands 100000 -seed $$seed -timeout 60m -v; done

.PHONY: dns-diff
dns-diff: ## A million questions to the responder, NSD and Knot (Debian: nsd, knot); a few minutes.
	$(GO) test ./dnsedge -run '^TestAgainstOtherServers$$' -dns-diff 1000000 -timeout 60m -v

.PHONY: zonemaster
zonemaster: ## Zonemaster (Debian: zonemaster-cli) looks at a dev cluster's zone, as root for port 53; a minute.
	$(GO) test ./cmd/cadastre -run '^TestZonemaster$$' -zonemaster -v

.PHONY: fuzz-responder
fuzz-responder: ## Two hundred million mutated queries to the responder, every reply checked; some ten minutes of two processors.
	$(GO) test ./dnsedge -run '^TestMutatedQueries$$' -mutations 200000000 -timeout 0 -v

.PHONY: bench-dns
bench-dns: ## The name server beside NSD, Knot and an echo (Debian: nsd, knot, dnsperf), a million delegations; ten minutes.
	$(GO) build -o bin/bench-dns ./bench/dns
	bin/bench-dns

.PHONY: bench-epp
bench-epp: build ## Throughput and latency of EPP beside etcd (Debian: etcd-server) on the same machine.
	$(GO) run ./bench/eppload -bin $(BIN)

.PHONY: fill
fill: build ## Make a stopped dev cluster of FILL_DOMAINS domains in FILL_DIR, for measurements.
	$(GO) run ./bench/fill -bin $(BIN) -dir $(FILL_DIR) -domains $(FILL_DOMAINS)

.PHONY: bench-apply
bench-apply: ## CPU time of applying a create on one node at 10 000 and at 1 000 000 domains, and checkpoints.
	$(GO) run ./bench/apply

.PHONY: bench-join
bench-join: build ## Measure the join of a node at a million domains while registrars write.
	$(GO) run ./bench/join -bin $(BIN)
