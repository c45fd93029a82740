# Two commands: `make up` runs the platform and its tour, `make test` proves it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
WORKERS ?= 3

# Where bytecode is not kept, each of the many processes compiles all that it imports again.
unexport PYTHONDONTWRITEBYTECODE

# Takes one core for most of a minute, so the tests begin beside it.
TYPES := $(BIN)/pyright --warnings
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: help setup up down test test-all test-pythons check lint lock format benchmarks clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): scripts/setup pyproject.toml requirements.lock
	@scripts/setup $(VENV)
	@touch $(STAMP)

setup: $(STAMP) ## the virtual environment, everything from the lock

up: setup ## start the private cloud and the platform, and take the tour
	@$(BIN)/paved up --tour --detach

down: setup ## stop everything
	@$(BIN)/paved down

check: setup lint ## lint, format, types, import contracts
	@$(TYPES)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache

test: lint ## everything that must hold before a change lands
	@scripts/system-packages
	@echo "The tests take about 13 minutes on two cores; what fails is tried once more, alone, at the end."
	@scripts/beside "$(TYPES)" $(BIN)/pytest -q -n $(WORKERS) --dist worksteal --unsteady=list -m "not slow" --durations=15
	@$(BIN)/python -m tests.ordinary -q -n $(WORKERS) --dist worksteal --unsteady=list

test-all: lint ## and the slower proofs
	@scripts/system-packages
	@echo "All tests take about 45 minutes on two cores, and more for each further Python."
	@scripts/beside "$(TYPES)" $(BIN)/pytest -q -n $(WORKERS) --dist worksteal --unsteady=fail --durations=25
	@$(BIN)/python -m tests.ordinary -q -n $(WORKERS) --dist worksteal --unsteady=fail
	@WORKERS=$(WORKERS) scripts/test-pythons $(VENV)

test-pythons: setup ## tests on every other Python from 3.11 on that this machine has
	@scripts/test-pythons $(VENV) $(TESTS)

benchmarks: setup ## the figures of docs/reference/figures.md, measured on this machine
	@$(BIN)/python -m benchmarks

format: setup ## put the code into its format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: setup ## resolve pyproject.toml into requirements.lock
	@scripts/lock $(BIN)

clean: ## remove the virtual environment and caches
	@rm -rf $(VENV) .pythons .pytest_cache .ruff_cache .hypothesis
