# Rehu: make help lists what there is.
SHELL := /bin/bash
GO    ?= go
TOOL  := $(GO) tool -modfile=tools/go.mod
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help demo build test test-quick test-race lint generate templ golden current notices tools check

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: ## a city that lives, on http://127.0.0.1:8080
	$(GO) run ./cmd/rehu demo

build: ## one static binary: bin/rehu
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w -X main.version=$(VERSION)' -o bin/rehu ./cmd/rehu

test: tools ## every test: SQLite, PostgreSQL and the browser
	$(GO) test -timeout 20m ./...

test-quick: ## every test that needs nothing but Go: SQLite, no browser
	REHU_TEST_QUICK=1 $(GO) test ./...

test-race: ## the packages in which goroutines meet, under the race detector
	$(GO) test -race ./internal/db/... ./internal/jobs ./internal/once ./internal/audit ./internal/citypack ./internal/staff ./internal/httpx

lint: ## golangci-lint as pinned in tools/go.mod
	$(TOOL) golangci-lint run ./...

generate: templ golden ## templ components to Go, docs/flows.md and the other golden files

templ:
	$(TOOL) templ generate -path internal/web

golden: ## docs/flows.md and the other golden files, from the code
	scripts/golden

current: templ ## fails when a generated file is not as its source makes it
	@git diff --exit-code --stat -- '*_templ.go' || { echo 'run make generate and commit the result'; exit 1; }

notices: ## THIRD_PARTY.md, from the modules that are linked in
	scripts/notices > THIRD_PARTY.md

tools: ## PostgreSQL, Chromium and a Chinese font for the tests (Debian, Ubuntu)
	scripts/install-test-tools

check: ## what CI runs
	scripts/check
