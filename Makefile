# Each target sets up .venv by itself; the second time there is nothing to do.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help serve test check format soak bench acceptance clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.serve: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "MockGraph needs Python 3.11 or newer; name one: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.serve
	$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/.check: $(VENV)/.test
	$(PIP) --editable '.[test,check]'
	@touch $@

serve: $(VENV)/.serve ## Serve on http://127.0.0.1:8365 (options: make serve ARGS="--port 0")
	@$(BIN)/mockgraph serve $(ARGS)

test: $(VENV)/.test ## Run the tests
	$(BIN)/python -m pytest -q -n auto $(ARGS)

check: $(VENV)/.check ## Run ruff, mypy, the layers contract and the tests with coverage
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n auto
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

format: $(VENV)/.check ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: $(VENV)/.test ## Run the property tests for long, with new examples
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -q -n auto $(ARGS)

# The peers have environments of their own; one that cannot be had is left out of the table.
.venv-bench/.installed:
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check flask granian pytest \
		'moto[server,sqs,dynamodb]' pytest-httpserver requests responses httpx respx
	-npm install --prefix .bench --no-audit --no-fund --silent \
		json-server@0.17 @stoplight/prism-cli @mockoon/cli wiremock
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(PIP) --editable '.[test,bench]'
	@touch $@

bench: $(VENV)/.bench .venv-bench/.installed ## Measure beside bare Flask and the peers (ARGS=--quick)
	$(BIN)/python -m benchmarks $(ARGS)

# The SDK unpacks to over a gigabyte, so it has an environment of its own.
.venv-sdk/.installed:
	$(PYTHON) -m venv .venv-sdk
	.venv-sdk/bin/python -m pip install --quiet --disable-pip-version-check 'msgraph-sdk>=1.40,<2' deprecated
	@touch $@

acceptance: $(VENV)/.serve .venv-sdk/.installed ## Run the examples with the official SDK
	$(BIN)/python examples/run.py .venv-sdk/bin/python

clean: ## Remove everything that was built or installed here
	rm -rf $(VENV) .venv-sdk .venv-bench .bench build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage* htmlcov
