# Needs Python 3.11+, make and git. Everything else is installed into .venv from the lock files.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# One process a processor, four at most: each has a PostgreSQL and a ClickHouse of its own. A file stays whole, for what its
# tests share is made once; files stay in their order, for neighbours share servers, too.
AT_ONCE = -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: run test servers page check bench image-steps kill screenshots golden wire lock clean

run: page  ## set up and serve on the standard ports, data under ./data
	exec $(BIN)/clew serve

test: servers $(VENV)/.dev page  ## set up and pass the tests
	$(BIN)/python -m query.ui.build_hook install
	$(BIN)/python -m tests.clients.packages
	$(BIN)/python -m pytest $(AT_ONCE)

servers:  ## what the tests run beside clew: PostgreSQL and a browser, from Debian's packages
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && [ -x /usr/bin/chromium ] || { \
		command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y postgresql chromium fonts-nanum; } || { \
		echo 'the tests need a PostgreSQL and a Chromium: sudo apt-get install postgresql chromium fonts-nanum'; exit 1; }

page: $(VENV)/.runtime  ## build clew's web page, if its sources changed
	@$(BIN)/python -m query.ui.build_hook

check: $(VENV)/.dev  ## what CI runs besides the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m query.ui.build_hook check

bench: $(VENV)/.dev  ## measure ingest and queries; STORE='duckdb postgresql clickhouse' shows them side by side
	$(BIN)/python -m tests.benchmarks $(BENCH)

image-steps: $(VENV)/.dev  ## run the Dockerfile's steps without an engine, and what they build
	$(BIN)/python -m pytest -m long tests/deploy

kill: $(VENV)/.dev  ## the long form of the crash test: 50 kills in a row
	$(BIN)/python -m pytest -m long tests/process

screenshots: $(VENV)/.dev page  ## take the README's pictures of the page anew
	$(BIN)/python -m tests.ui docs/screenshots
	$(BIN)/python -m tests.ui.screenshots docs/screenshots

golden: $(VENV)/.dev  ## write the answers that tests/golden compares with anew
	$(BIN)/python -m tests.golden

wire: $(VENV)/.dev  ## generate wire/ from its .proto files
	$(BIN)/python -m wire.otlp_descriptors $(VENV)/otlp_descriptors.binpb
	$(BIN)/python -m grpc_tools.protoc -I. --descriptor_set_in=$(VENV)/otlp_descriptors.binpb \
		--python_out=. --pyi_out=. wire/*.proto

lock: $(VENV)/.dev  ## pin again after a change of pyproject.toml
	$(BIN)/pip install -q uv==0.13.8
	$(call pin,requirements.lock,pyproject.toml --extra build)
	$(call pin,requirements-dev.lock,pyproject.toml --extra build --extra dev)
	$(call pin,deploy/demo/requirements.lock,deploy/demo/requirements.in)

define pin
	echo '# Pinned with hashes. Regenerate: make lock' > $(1)
	$(BIN)/uv pip compile -q $(2) --universal --generate-hashes --no-emit-find-links \
		--python-version 3.11 --no-header --no-annotate >> $(1)
endef

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'clew needs Python 3.11 or newer; say PYTHON=python3.12 (or similar)'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo 'Python cannot make a virtualenv; on Debian: apt-get install python3-venv'; exit 1; }

$(VENV)/.runtime: $(BIN)/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m collector.preparing
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
