# Seatkeeper: every verb of the house. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

BIN := .venv/bin
STAMP := .venv/.installed
WORKERS ?= 2
# Domain modules are pure, so their branches are counted without a database in about a second.
COVERAGE := --cov=seatkeeper.domain --cov-branch --cov-fail-under=100 --cov-report=term-missing:skip-covered

$(STAMP): requirements.lock pyproject.toml tools/install
	@tools/install

.PHONY: help install run test check lint types imports words coverage tests fix demo bench bench-large model races \
	chaos mutants ten-years docs rules verify release lock clean

help: ## List the verbs
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## Make .venv from the lock (every other verb does it by itself)

run: $(STAMP) ## From nothing to a running service with the demo in it
	@exec $(BIN)/seatkeeper serve --demo

test: $(STAMP) ## Everything that must be green before a push
	@$(MAKE) check
	@$(MAKE) coverage
	@$(MAKE) tests

check: lint types imports words ## Lint, types, import contracts, spelling (under 30 s)

lint: $(STAMP)
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "formatting differs; make fix"; exit 1; }

types: $(STAMP)
	@$(BIN)/mypy --no-error-summary

imports: $(STAMP)
	@said=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$said"; exit 1; }

words: $(STAMP)
	@$(BIN)/codespell

coverage: $(STAMP) ## Tests of the domain; each branch of it must be taken
	@$(BIN)/pytest -n $(WORKERS) -q tests/domain $(COVERAGE)

tests: $(STAMP) ## Tests that need PostgreSQL
	@$(BIN)/pytest -n $(WORKERS) --dist=worksteal -q --ignore=tests/domain

fix: $(STAMP) ## Repair what a tool can repair
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format --quiet
	@$(BIN)/codespell --write-changes || true

demo: $(STAMP) ## One year of three vendors on test clocks, each figure checked
	@$(BIN)/seatkeeper demo

bench: $(STAMP) ## Hot paths as a ratio to pgbench on the same database
	@$(BIN)/python -m bench

bench-large: $(STAMP) ## 100,000 members against 100; the last seats; 200 connections
	@$(BIN)/python -m bench.large

model: $(STAMP) ## 100,000 random steps of a naive model against the service (SEED=… replays)
	@$(BIN)/python -m tests.model --steps 100000 $(if $(SEED),--seed $(SEED))

races: $(STAMP) ## 100,000 raced seat takings, counted exactly (SEED=… replays)
	@$(BIN)/python -m tests.races $(if $(SEED),--seed $(SEED))

chaos: $(STAMP) ## Workers killed at random while 10,000 subscriptions renew (SEED=… replays)
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED))

mutants: $(STAMP) ## One bug after another in a copy of the code; each must be found
	@$(BIN)/python -m tests.mutants

ten-years: $(STAMP) ## 10,000 contracts over ten years against a closed-form calculation
	@SEATKEEPER_LONG=1 $(BIN)/pytest -q tests/domain/test_ten_years.py

docs: $(STAMP) ## Pages that are made from code
	@$(BIN)/python -m tools.docs

rules: $(STAMP) ## docs/rules.md: each rule with the tests that carry it
	@$(BIN)/python -m tools.rules

verify: $(STAMP) ## Re-derive every invariant from the rows of DATABASE_URL
	@$(BIN)/seatkeeper verify

release: test ## Wheel and source archive in dist/
	@rm -rf dist
	@$(BIN)/uv build --no-build-isolation --offline --quiet --python $(BIN)/python
	@ls -l dist

lock: $(STAMP) ## Resolve the newest versions into requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --upgrade --extra embedded --group dev --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--quiet --output-file requirements.lock

clean: ## Remove what the tools made; data stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage build dist
