# `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

.PHONY: help install run test lint types tests servers bench chaos fuzz reference clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## make .venv with the locked dependencies

run: $(VENV)/.installed ## start everything in the foreground; Ctrl-C stops it
	@exec $(BIN)/showbridge run

test: lint types tests ## all checks: style, types, tests

lint: $(VENV)/.developing
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .

types: $(VENV)/.developing
	@$(BIN)/mypy

tests: servers
	@$(BIN)/pytest -n 2 --dist loadgroup

servers: $(VENV)/.developing ## what the tests start and the machine lacks: PostgreSQL, nginx, Caddy
	@$(BIN)/python -m tests.programs

bench: servers ## all figures of docs/performance.md on SQLite (half an hour)
	@$(BIN)/python -m benchmarks.receiver
	@$(BIN)/python -m benchmarks.latency
	@$(BIN)/python -m benchmarks.burst
	@$(BIN)/python -m benchmarks.growth
	@$(BIN)/python -m benchmarks.idle
	@$(BIN)/python -m benchmarks.rules
	@$(BIN)/python -m benchmarks.diff

chaos: servers ## kill every part 200 times, on SQLite and on PostgreSQL (a quarter of an hour)
	@$(BIN)/python -m tests.chaos --database sqlite
	@$(BIN)/python -m tests.chaos --database postgresql

fuzz: $(VENV)/.developing ## throw 50,000 odd files and 120 heavy ones at the rules' compiler (ten minutes)
	@$(BIN)/python -m tests.rules.fuzz

reference: $(VENV)/.developing ## write the reference parts of the documents anew
	@$(BIN)/python -m bridge.cli.reference_pages docs/connectors
	@$(BIN)/python -m bridge.cli.rule_pages docs

clean: ## remove .venv and caches; the data folder stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or later is needed; this is: $$($(PYTHON) --version 2>&1)."; \
	  echo "If another one is installed, name it: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Making $(VENV) and installing the locked dependencies (a minute or two) ..."
	@requirements/environment $(PYTHON) $(VENV)

$(VENV)/.installed: requirements/run.lock pyproject.toml | $(BIN)/python
	@$(PIP) install --require-hashes -r requirements/run.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.developing: requirements/dev.lock pyproject.toml | $(BIN)/python
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.installed
