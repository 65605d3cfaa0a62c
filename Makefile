.DEFAULT_GOAL := help
FUZZTIME ?= 10s
BENCH ?= .
BENCHTIME ?= 1s
CONVERSATIONS ?= 50000
FIRE ?= 1000000
KILLS ?= 1000
OPERATIONS ?= 10000000
KEPT ?= 1000000
OVERDUE ?= 1000000
STOP ?= 60s
HISTORIES ?= 10000
CHANGES ?= 1000000
EXPIRING ?= 1000000
WORKLOAD ?= zipf
RATE ?= 2000
LINT := .tools/bin/golangci-lint

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/engine
	go build -o bin/engine ./cmd/engine

.PHONY: test
test: ## run all tests
	go test ./...

.PHONY: race
race: ## run all tests under the race detector
	go test -race -timeout 20m ./...

.PHONY: lint
lint: tools ## check style, traps and the direction of dependencies
	$(LINT) run ./...

.PHONY: fmt
fmt: tools ## format all code as lint wants it
	$(LINT) fmt ./...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (10s)
	@grep -rHoE --include='*_test.go' '^func Fuzz[[:alnum:]_]+' . | while IFS=: read -r file target; do \
		target=$${target#func }; echo "$$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" </dev/null || exit 1; \
	done

.PHONY: campaign
campaign: ## put the engine under fire for FIRE (1000000) operations: changes, crashes, store errors, clocks, policies
	go test ./actors -run UnderFire -timeout 0 -v -fire $(FIRE) -rapid.steps 150

.PHONY: campaign-kill
campaign-kill: ## kill engines around their reaper's steps, KILLS (1000) times
	go test ./actors -run KilledAround -timeout 0 -v -kills $(KILLS)

.PHONY: campaign-overdue
campaign-overdue: ## start an engine on a store in which OVERDUE (1000000) conversations are overdue
	go test ./actors -run AStartWithABacklogOnARealStore -timeout 0 -v -overdue $(OVERDUE)

.PHONY: campaign-stop
campaign-stop: ## stop a server's process for STOP (60s) under load
	go test ./cmd/engine -run WhereAProcessIsStopped -timeout 0 -v -stop $(STOP)

.PHONY: campaign-model
campaign-model: ## compare the engine with a model for OPERATIONS (10000000) random operations
	go test ./actors -run ReadersSeeWhatTheModelSays -timeout 0 -v -operations $(OPERATIONS)

.PHONY: campaign-sync
campaign-sync: ## fold syncs over HISTORIES (10000) random histories, and over CHANGES (1000000) changes while others are made
	go test ./actors -run FoldedSyncsAreTheList -timeout 0 -histories $(HISTORIES)
	go test ./actors -run AReaderMissesNothing -timeout 0 -v -changes $(CHANGES)

.PHONY: bench
bench: ## run the benchmarks that match BENCH (all) for BENCHTIME (1s) each
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...

.PHONY: bench-lists
bench-lists: ## measure lists and sync of users with CONVERSATIONS (50000), and what a post writes
	go test ./benchmarks -run '^$$' -bench 'Lists|ListWrites' -benchtime 1x -timeout 0 \
		-conversations $(CONVERSATIONS) -members 100000 -samples 500 -colds 20

.PHONY: bench-overload
bench-overload: ## propose twice as much as the engine can do: what is accepted, refused, and how much memory that takes
	go test -run '^$$' -bench Overload -benchtime 1x -timeout 20m ./benchmarks -overload-conversations 10000 -overload-phase 3s -overload-rounds 3

.PHONY: bench-neighbours
bench-neighbours: ## measure what conversations feel of one that always panics
	go test ./actors -run '^$$' -bench Neighbours -benchtime 1x -neighbours-phase 2s -neighbours-rounds 7

.PHONY: bench-herd
bench-herd: ## measure what proposals feel of 20000 users who ask at once what changed
	go test ./benchmarks -run '^$$' -bench Herd -benchtime 1x -count 3 -timeout 0 -herd 20000

.PHONY: bench-disk
bench-disk: ## watch the directory while EXPIRING (1000000) conversations expire, and until it is small
	go test ./benchmarks -run '^$$' -bench 'Disk$$' -benchtime 1x -timeout 0 -disk-conversations $(EXPIRING) -disk-every 30s -disk-verbose

.PHONY: bench-reaper
bench-reaper: ## measure how late deletions are beside KEPT (1000000) conversations, what proposals feel of them, and how fast they are
	go test ./benchmarks -run '^$$' -bench 'Reap$$|Reaper' -benchtime 1x -timeout 0 \
		-kept $(KEPT) -due 10000 -rates 50000,20000 -expiring 5000 -phase 5s

.PHONY: compare
compare: ## hold the engine against what one might pick instead, at full size, and write docs/benchmarks.md
	go run ./benchmarks/compare --markdown docs/benchmarks.md --json docs/benchmarks.json

.PHONY: compare-quick
compare-quick: ## the same in some minutes, at smaller sizes, as a table alone
	go run ./benchmarks/compare --quick

.PHONY: load
load: ## send the WORKLOAD (zipf) at RATE (2000) proposals a second to an engine, and draw what they took in load.html
	go run ./cmd/engine load --workload $(WORKLOAD) --rate $(RATE) --html load.html

.PHONY: tradeoffs
tradeoffs: ## measure and draw docs/tradeoffs.md anew
	go run ./benchmarks/compare tradeoffs

.PHONY: cover
cover: ## measure what the tests cover, in .tools/cover.html
	@mkdir -p .tools
	go test -coverpkg ./... -coverprofile .tools/cover.out ./...
	go tool cover -html .tools/cover.out -o .tools/cover.html
	@go tool cover -func .tools/cover.out | tail -1

.PHONY: generate
generate: ## generate the wire code anew (needs protoc)
	go generate ./...

.PHONY: plots
plots: ## measure and draw docs/isolation.svg anew
	go run ./benchmarks/cmd/isolation -svg docs/isolation.svg

.PHONY: tools
tools: ## install the linter into .tools/bin
	@.ci/tools

.PHONY: ci
ci: ## check everything, as CI does
	.ci/run
