# On a fresh machine with Python 3.11 or newer and make, each target first makes .venv.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint types check bench conformance

demo: $(READY) ## make demo DIR=path: judge the Python files below it
	@$(BIN)/python demo/run.py $(if $(DIR),--dir "$(DIR)")

test: $(READY)
	@$(BIN)/python -m pytest -q

lint: $(READY)
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet

types: $(READY)
	@$(BIN)/pyright

check: lint types test

bench: $(READY)
	@$(BIN)/python -m benchmarks

conformance: $(READY) ## the official suite, Inspector, TypeScript clients and an agent framework
	@$(BIN)/python -m tests.conformance

# Only when the stamp is older than the list of dependencies.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@echo "Making .venv: one minute, once"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $(READY)
