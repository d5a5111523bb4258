# Each target sets up .venv by itself; the second time there is nothing to do.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SDK_PIP := .venv-sdk/bin/python -m pip install --quiet --disable-pip-version-check
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help serve test test-long check format soak docs dist sdist browser bench profile fidelity acceptance clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.serve: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "MockGraph needs Python 3.11 or newer; name one: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@$(BIN)/python -m compileall -q mockgraph  # also where Python is told to write no bytecode
	@touch $@

$(VENV)/.test: $(VENV)/.serve
	$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/.check: $(VENV)/.fuzz
	$(PIP) --editable '.[test,check]'
	@touch $@

serve: $(VENV)/.serve ## Serve on http://127.0.0.1:8365 (options: make serve ARGS="--port 0")
	@$(BIN)/mockgraph serve $(ARGS)

# Each process of the tests would compile them all again where Python is told to write no bytecode.
test test-long check: export PYTHONDONTWRITEBYTECODE :=

test: $(VENV)/.test ## Run the tests, but for the long ones
	$(BIN)/python -m pytest -q -n auto -m "not long" $(ARGS)

test-long: $(VENV)/.test ## Run the long tests
	$(BIN)/python -m pytest -q -n auto -m long $(ARGS)

COMPOSE := docker-compose.yml examples/containers/compose.yaml
check: $(VENV)/.check ## Run ruff, mypy, the layers contract and all tests with coverage
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec $(COMPOSE)
	$(BIN)/coverage erase
	HYPOTHESIS_PROFILE=check $(BIN)/coverage run -m pytest -q -n auto
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

format: $(VENV)/.check ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.fuzz: $(VENV)/.test
	@if $(PIP) --editable '.[test,fuzz]'; then touch $@; else \
		echo "Schemathesis cannot be installed: the OpenAPI descriptions are not tried."; fi

MINUTES ?= 30
soak: $(VENV)/.fuzz ## Run the tests with random input for long, with new input (MINUTES=30)
	$(BIN)/python -m scripts.soak $(MINUTES)

$(VENV)/.browser: $(VENV)/.test
	@if $(PIP) --editable '.[test,browser]'; then touch $@; else echo "Playwright cannot be installed."; fi

.browser/node_modules/.installed:
	@if npm install --prefix .browser --no-audit --no-fund --no-package-lock --silent axe-core @azure/msal-browser; \
		then touch $@; else echo "axe-core and MSAL.js cannot be installed: tests with them are left out."; fi

# What cannot be had is told of, and the tests that need it are left out.
browser: $(VENV)/.browser .browser/node_modules/.installed ## Run the tests of the console in Chromium
	@command -v chromium chromium-browser google-chrome >/dev/null \
		|| apt-get install --yes --quiet --no-install-recommends chromium >/dev/null 2>&1 \
		|| echo "Chromium is not on this machine and cannot be installed from its distribution."
	$(BIN)/python -m pytest -q -rs tests/browser $(ARGS)

$(VENV)/.docs: $(VENV)/.test
	$(PIP) --editable '.[test,docs]'
	@touch $@

docs: $(VENV)/.docs ## Build the site in docs/_build/html
	$(BIN)/sphinx-build -E -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/python -m pytest -q -n0 tests/docs/test_site.py

$(VENV)/.release: $(VENV)/.serve
	$(PIP) --editable '.[release]'
	@touch $@

dist: $(VENV)/.release ## Build the wheel and the sdist, and check what they say of themselves
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*

sdist: $(VENV)/.release ## Build the sdist, unpack it elsewhere, and run the tests in it
	@unpacked=$$(mktemp -d) && trap 'rm -rf "$$unpacked"' EXIT \
		&& $(BIN)/python -m build --sdist --outdir "$$unpacked" \
		&& tar -xzf "$$unpacked"/mockgraph-*.tar.gz -C "$$unpacked" && rm "$$unpacked"/*.tar.gz \
		&& $(MAKE) -C "$$unpacked"/mockgraph-* test

# The peers have environments of their own; one that cannot be had is left out of the table.
.venv-bench/.installed:
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check flask pytest \
		granian waitress cheroot uvicorn a2wsgi httptools uvloop hypercorn \
		'moto[server,sqs,dynamodb]' pytest-httpserver requests responses httpx respx
	-npm install --prefix .bench --no-audit --no-fund --silent \
		json-server@0.17 @stoplight/prism-cli @mockoon/cli wiremock
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(PIP) --editable '.[test,bench]'
	@touch $@

bench: $(VENV)/.bench .venv-bench/.installed ## Measure beside bare Flask and the peers (ARGS=--quick)
	$(BIN)/python -m benchmarks $(ARGS)

profile: $(VENV)/.bench ## Measure where a request's time goes, into docs/performance.md
	$(BIN)/python -m benchmarks.performance $(ARGS)

# The SDKs unpack to over two gigabytes, so the clients have environments of their own. What cannot
# be had is left out, told of, and tried again the next time.
.venv-sdk/.installed: examples/requirements.txt setup.cfg
	$(PYTHON) -m venv .venv-sdk
	@if $(SDK_PIP) --requirement $<; then touch $@; else \
		echo "Not all of $< can be installed; one by one:"; \
		while read -r package; do $(SDK_PIP) "$$package" || echo "No $$package."; done < $<; \
	fi
	$(SDK_PIP) --editable .

examples/node_modules/.installed: examples/package.json
	@if npm install --prefix examples --no-audit --no-fund --no-package-lock --silent; \
		then touch $@; else echo "What the examples in JavaScript need cannot be installed."; fi

fidelity: $(VENV)/.test ## Measure against the documented examples (more pages: make fidelity ARGS="DIR ...")
	$(BIN)/python -m scripts.write_fidelity $(ARGS)

examples/%/node_modules/.installed: examples/%/package.json
	@if npm install --prefix examples/$* --no-audit --no-fund --no-package-lock --silent; \
		then touch $@; else echo "What examples/$* needs cannot be installed."; fi

JAVASCRIPT := $(addsuffix node_modules/.installed,examples/ examples/vitest/ examples/jest/)

acceptance: $(VENV)/.test .venv-sdk/.installed $(JAVASCRIPT) ## Run the examples with the official clients
	$(BIN)/python examples/run.py --python .venv-sdk/bin/python $(ARGS)
	@command -v javac >/dev/null && test -e /usr/share/java/junit-jupiter-api.jar \
		|| apt-get install --yes --quiet --no-install-recommends default-jdk-headless junit5 >/dev/null 2>&1 \
		|| echo "A JDK and JUnit are not on this machine and cannot be installed from its distribution."
	$(BIN)/python -m pytest -q -rs tests/test_javascript_examples.py tests/test_java_example.py

clean: ## Remove everything that was built or installed here
	rm -rf $(VENV) .venv-sdk .venv-bench .bench .browser examples/node_modules examples/*/node_modules docs/_build build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage* htmlcov
