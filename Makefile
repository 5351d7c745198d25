# `make` prints what there is. Written for GNU make 3.81, the one on macOS, and newer.

SWIFT ?= swift
PYTHON ?= python3
PREFIX ?= /usr/local
DESTDIR ?=
# Arguments of `fastlike demo` for `make run`, and a name pattern for `make test`.
ARGS ?=
FILTER ?=

BINARY := .build/release/fastlike
GUESTS := .build/guests
ABI_DATA := Sources/ComputeABI/Data
ABI_GENERATED := Sources/ComputeABI/Generated
# Where the ABI is generated before it is compared or put in place.
GENERATION := .build/generated

# The protobuf messages of the exports. PROTOC may be any `protoc`; this one is of PyPI's grpcio-tools.
PROTOBUF := Sources/FastlikeProfile/Export/Protobuf
PROTOC ?= $(PYTHON) -m grpc_tools.protoc

# What is formatted and linted; a folder that is not there is left out.
SOURCES := $(wildcard Package.swift Sources Tests Tools Plugins Benchmarks Guests)
FORMAT := --configuration .swift-format --recursive --parallel $(SOURCES)

.DEFAULT_GOAL := help
# The Swift package manager lets one build run at a time.
.NOTPARALLEL:
.PHONY: help bootstrap tools build guests run test lint format generate generation check-generated generate-protobuf bench install clean

help: ## Show this list
	@printf 'fastlike: runs Fastly Compute programs on this machine and shows what every request did\n\n'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)$$/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-25s %s\n", $$1, $$2 }'
	@printf '\nVariables: PREFIX and DESTDIR for install, ARGS for run (ARGS="--bind :8080"), FILTER for test\n'

bootstrap: tools ## Check the tools, fetch Wasmtime and what tests use; without network once it is there
	@$(PYTHON) Scripts/bootstrap.py --tests
	@$(PYTHON) Scripts/readers.py || true

tools:
	@command -v $(PYTHON) >/dev/null || { echo 'bootstrap: error: python3 is missing; install it (Debian and Ubuntu: apt-get install python3 python3-pip, Fedora: dnf install python3 python3-pip, macOS: xcode-select --install)' >&2; exit 1; }
	@$(PYTHON) Scripts/bootstrap.py

build: tools ## Build .build/release/fastlike
	$(SWIFT) build -c release --product fastlike

guests: ## Build the demo and the test guests into .build/guests
	Guests/build.sh $(GUESTS)

run: build guests ## Serve the demo and print what to open
	@exec $(BINARY) demo $(ARGS)

# Tests that compute, tests with time limits, and the conformance suite with its dozens of servers: one after the other, because
# they would take time from each other.
test: bootstrap lint check-generated guests ## Lint, check the generated code, and run every test
	$(SWIFT) build --build-tests
ifneq ($(FILTER),)
	$(SWIFT) test --skip-build --filter '$(FILTER)'
else
	$(SWIFT) test --skip-build --filter FastlikeProfileTests
	$(SWIFT) test --skip-build --skip ConformanceTests --skip FastlikeProfileTests
	$(SWIFT) test --skip-build --filter ConformanceTests
endif

lint: ## Check the formatting and the rules of .swift-format
	$(SWIFT) format lint --strict $(FORMAT)

format: ## Format the sources in place
	$(SWIFT) format --in-place $(FORMAT)

generation:
	@rm -rf $(GENERATION)
	$(SWIFT) run --quiet hostcallgen $(ABI_DATA) $(GENERATION)

generate: tools generation ## Generate the ABI's Swift from its tables
	@rm -f $(ABI_GENERATED)/*.swift
	@mkdir -p $(ABI_GENERATED)
	cp $(GENERATION)/*.swift $(ABI_GENERATED)/

check-generated: tools generation ## Compare the committed ABI code with what its tables give
	@diff -r -q $(GENERATION) $(ABI_GENERATED) >&2 || { \
	  echo 'error: $(ABI_GENERATED) is not what $(ABI_DATA) and Tools/hostcallgen give; run `make generate` and commit the result' >&2; \
	  exit 1; }

generate-protobuf: tools ## Generate the Swift of the protobuf messages (needs protoc, see CONTRIBUTING.md)
	$(SWIFT) build --product protoc-gen-swift
	@rm -f $(PROTOBUF)/Generated/*.swift
	$(PROTOC) --plugin=protoc-gen-swift=.build/debug/protoc-gen-swift --swift_opt=Visibility=Internal \
	  --swift_out=$(PROTOBUF)/Generated -I $(PROTOBUF)/Definitions $(notdir $(wildcard $(PROTOBUF)/Definitions/*.proto))

bench: build guests ## Measure speed and memory, and print the table
	Benchmarks/run.sh $(ARGS)

install: build guests ## Install under PREFIX (/usr/local): the program, Wasmtime's library, the demo
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/lib' '$(DESTDIR)$(PREFIX)/share/fastlike'
	install -m 755 $(BINARY) '$(DESTDIR)$(PREFIX)/bin/fastlike'
	install -m 644 .wasmtime/lib/libwasmtime.* '$(DESTDIR)$(PREFIX)/lib/'
	install -m 644 $(GUESTS)/demo.wasm '$(DESTDIR)$(PREFIX)/share/fastlike/demo.wasm'

clean: ## Remove what was built; packages and Wasmtime stay
	$(SWIFT) package clean
	rm -rf $(GUESTS) $(GENERATION)
