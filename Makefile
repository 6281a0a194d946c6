# The door for whoever changes the program: `make` lists what it can do. `bash tests/run.sh` is what CI runs.

PYTHON ?= python3
VENV := .venv/bin/python
# One worker more than there are cores, because some tests wait.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
FAST := not processes and not browser and not slow and not foreign
LINK ?= http://localhost:8077/

.DEFAULT_GOAL := help
.PHONY: help setup fast test page fix check docs bench

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv and node_modules, and install the commit hooks
	$(PYTHON) -m venv .venv
	$(VENV) -m pip install --quiet --disable-pip-version-check --editable '.[test]' pre-commit
	cp pyproject.toml .venv/installed
	cd reactcode && npm ci --silent --no-audit --no-fund
	.venv/bin/pre-commit install

fast: ## the fast tests, about a minute on two cores; K=word runs those whose names hold the word
	$(VENV) -m pytest -q -n $(WORKERS) --dist worksteal -m '$(FAST)' $(if $(K),-k '$(K)')

test: ## everything that CI runs, Chromium and real processes included
	bash tests/run.sh

page: ## the page: format, types, lint, tests, then the bundle in reactcode/dist
	cd reactcode && npm test && npm run build

fix: ## put right what tools can: imports, format, lint
	.venv/bin/ruff check --fix --quiet .
	.venv/bin/ruff format --quiet .
	cd reactcode && npm run --silent format >/dev/null

check: ## lint, types and layers of the Python code, without its tests
	.venv/bin/ruff check --output-format concise .
	.venv/bin/ruff format --check --quiet .
	.venv/bin/mypy
	.venv/bin/lint-imports

docs: ## write openapi.json and the page's types anew, then check every link and table of the documentation
	$(VENV) -m backend.openapi
	cd reactcode && npm run --silent openapi >/dev/null
	$(VENV) -m pytest -q tests/docs

bench: ## the two benchmarks that every change keeps; LINK is that of a running session with --positive hat
	$(VENV) -m tests.benchmarks.loop '$(LINK)' --positive hat --answers 200
	$(VENV) -m tests.benchmarks.page '$(LINK)' --answers 200 --rate 4
