# Two commands do all set-up: `make run` starts a server, `make test` runs everything CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed-dev
READY_RUN := $(VENV)/.installed
DATA_DIR ?= data

.PHONY: run test lint generate lock clean

run: $(READY_RUN)
	$(BIN)/python -m laura_fast serve --data-dir $(DATA_DIR) $(ARGS)

test: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/run.py

lint: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/run.py --only lint

generate: $(READY)
	$(BIN)/python protos/generate.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "laura_fast needs Python 3.11 to 3.13, found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(READY_RUN): requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(READY): requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@ $(READY_RUN)

# Run after a change of dependencies; the files name no index host.
lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --all-extras pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
