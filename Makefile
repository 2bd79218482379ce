# Everything that a person or CI does with this repository. `make` tells what.
.DEFAULT_GOAL := help
SHELL         := /bin/bash
.SHELLFLAGS   := -euo pipefail -c
VERSION       ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GOFLAGS_BUILD := -trimpath -ldflags '-s -w -X github.com/multus-ip-registrar/multus-ip-registrar/internal/cli.release=$(VERSION)'
TOOL          := go tool -modfile=tools/go.mod
PROGRAMS      := registrar webhook vpcsim

.PHONY: help build demo test test-apiserver e2e e2e-mutants e2e-down bench scale failover soak image check clean $(PROGRAMS:%=bin/%)

help: ## Tell what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "  DEPS=0 forbids to install missing Debian packages and names the command to run instead."

build: $(PROGRAMS:%=bin/%) ## Build the programs into bin/

$(PROGRAMS:%=bin/%): bin/%:
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o $@ ./cmd/$*

demo: build ## Show pods that cannot reach one another, then can, then fail over
	scripts/deps.sh demo
	bin/vpcsim demo

test: build ## Run every test, those on a real ipvlan kernel too
	scripts/deps.sh test
	scripts/helm.sh 3 && scripts/helm.sh 4 && scripts/apiserver.sh
	go test -race -count=1 -timeout 20m ./...

test-apiserver: build ## Run the webhook's tests on a real API server alone
	scripts/deps.sh test
	scripts/helm.sh 3 && scripts/helm.sh 4 && scripts/apiserver.sh
	go test -race -count=1 -timeout 20m ./pkg/inject ./cmd/webhook/... ./test/chart ./test/examples ./test/apiserver

e2e: ## Run the product on real Kubernetes nodes; RUN=short less of it, TIMES=10 ten times, KEEP=1 leaves them up
	scripts/deps.sh e2e
	scripts/e2e.sh

e2e-mutants: ## Break each law of claims in turn, and see a story of make e2e fail
	scripts/deps.sh e2e
	scripts/e2e.sh mutants

e2e-down: ## End the cluster that make e2e KEEP=1 left up
	scripts/e2e.sh down

bench: build ## Measure, print median and p99 beside the goals, write out/bench.json
	scripts/deps.sh demo
	go run ./test/bench -out out/bench.json

scale: ## Play a full restart and a zone failure of 1,000 workers in virtual time, write out/scale.json
	go test -count=1 -timeout 2h -run '^TestScale$$' -v ./test/scale -args -workers 1000 -out $(CURDIR)/out/scale.json

failover: build ## Put keepalived and the registrar through every trouble, measure the loss, write out/failover.*
	scripts/deps.sh failover
	go run ./test/failover

soak: build ## Let the registrar work under random faults for SOAK (30m), judge every call
	scripts/deps.sh demo
	go run ./test/soak -for $(or $(SOAK),30m)

image: ## Build both images without a Docker engine, into out/
	scripts/image.sh

check: ## Look for faults that need no run: format, vet, staticcheck, modules
	@test -z "$$(gofmt -l .)" || { echo "not formatted, run gofmt -w on:"; gofmt -l .; exit 1; }
	go mod tidy -diff
	go vet ./... && go vet -tags guest ./test/uml/... && go vet -tags e2e,mutants ./test/e2e/...
	$(TOOL) staticcheck ./... && $(TOOL) staticcheck -tags guest ./test/uml/... && $(TOOL) staticcheck -tags e2e,mutants ./test/e2e/...

clean: ## Remove what was built
	rm -rf bin out
