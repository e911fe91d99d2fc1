# Every target makes its own environment in .venv. Another interpreter: make PYTHON=python3.12 ...
PYTHON ?= python3

RUN := .venv/bin/python
READY := .venv/.ready
VERSION_CHECK := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

.DEFAULT_GOAL := help
.PHONY: help demo test quick slow check torture bench hooks clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## train a small model on embedded images; results in runs/demo
	$(RUN) -m scripts.train --out runs/demo

# Two workers; another number: make WORKERS=4 test, and in one process: make WORKERS=0 test
WORKERS ?= 2

test: $(READY) ## run all tests but the slow ones
	$(RUN) -m pytest -n $(WORKERS) --dist=worksteal -m "not slow"

quick: $(READY) ## run the tests of the inner loop: games, families, file formats
	$(RUN) -m pytest -n $(WORKERS) --dist=worksteal -m "quick and not slow"

slow: $(READY) ## run the slow tests: trainings that have to reach a number
	$(RUN) -m pytest -n $(WORKERS) --dist=worksteal -m slow

# How many runs: make RUNS=40 torture
RUNS ?= 20

torture: $(READY) ## kill runs, damage their backups, fill their disk; all have to end bit-equal
	TORTURED=$(RUNS) $(RUN) -m pytest -m slow -rP --no-header tests/callbacks/test_torture.py

check: $(READY) ## formatting, lint and types
	$(RUN) -m ruff format --check
	$(RUN) -m ruff check
	$(RUN) -m pyright

bench: $(READY) ## time a training step of every learner
	$(RUN) -m benchmarks.train_step

hooks: $(READY) ## check formatting, lint, types and rooms before every commit
	$(RUN) -m pip install --quiet --disable-pip-version-check pre-commit
	$(RUN) -m pre_commit install

clean: ## remove the environment and everything generated, except runs/
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp that is missing, or older than setup.py, means that dependencies may have changed.
$(READY): setup.py
	@test -x $(RUN) || $(PYTHON) -c '$(VERSION_CHECK)' 2>/dev/null || { \
	  found=$$($(PYTHON) --version 2>/dev/null || echo missing); \
	  echo "keras-symvae needs Python 3.11 to 3.13, but '$(PYTHON)' is $$found;" \
	       "name another with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing keras-symvae and what it needs into .venv (once; a few minutes)"
	@test -x $(RUN) || $(PYTHON) -m venv .venv
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
