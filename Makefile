# oppflow: see README.md. `make demo` and `make test` need Python 3.10 to 3.13, a C compiler, make and git.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MINOR  := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
LOCAL  := PYTHONPATH=plugins $(BIN)/python -m oppflow.local

# `value`, because a run filter is full of dollars that make would expand.
export DEMO_MODEL  := $(value MODEL)
export DEMO_CONFIG := $(value CONFIG)
export DEMO_RUNS   := $(value RUNS)

.PHONY: help demo demo-nightly up down env test test-omnetpp test-compose bench check images \
	image-worker image-omnetpp lock docs clean

help:
	@echo "make demo   run a campaign through a real Airflow, and show its results"
	@echo "            MODEL=path CONFIG=Name RUNS='filter' for your own model"
	@echo "make demo-nightly  run nights in a row, with a changed model between them"
	@echo "make up     start Airflow and leave it running;  make down  ends it"
	@echo "make test   run every test that this machine can run"
	@echo "make test-omnetpp  hold campaigns against opp_runall, with an OMNeT++ on PATH or OMNETPP_ROOT"
	@echo "make test-compose  bring docker-compose.yaml up, run campaigns, kill a worker; no registry needed"
	@echo "make env    write .env for docker-compose.yaml; OPEN=address lets others join, JOIN=host joins"
	@echo "make bench  measure campaigns side by side with opp_runall; takes an hour"
	@echo "make check  formatting, lint and types"
	@echo "make docs   HTML of docs/ in .cache/docs; broken links are errors"
	@echo "make images build the container images;  make image-omnetpp OMNETPP_VERSION=6.1  one"

demo: $(VENV)/.ready
	@$(LOCAL) demo --model "$$DEMO_MODEL" --config "$$DEMO_CONFIG" --runs "$$DEMO_RUNS"

demo-nightly: $(VENV)/.ready
	@$(LOCAL) demo-nightly

up: $(VENV)/.ready
	@$(LOCAL) up

down: $(VENV)/.ready
	@$(LOCAL) down

# Folders are shared out to processes, tests/airflow first: it takes longest. ARGS=-n0 has one process.
test: $(VENV)/.ready-test
	@$(BIN)/python -m pytest -n logical --maxprocesses 4 --no-loadscope-reorder $(ARGS)

test-omnetpp: $(VENV)/.ready-test
	@$(BIN)/python -m pytest tests/omnetpp_native $(ARGS)

test-compose: $(VENV)/.ready-test
	@tests/compose/prepare $(BIN)/python
	@OPPFLOW_TEST_COMPOSE=1 $(BIN)/python -m pytest tests/compose $(ARGS)

env:
	@$(PYTHON) bin/make-env --open "$(OPEN)" --join "$(JOIN)"

bench: $(VENV)/.ready-test
	@PYTHONPATH=plugins:. $(BIN)/python -m bench $(ARGS)

docs: $(VENV)/.ready-test
	@$(BIN)/python -m sphinx -W --keep-going -n -q -b html $(ARGS) docs .cache/docs
	@echo "The documentation is in .cache/docs; begin with index.html."

check: $(VENV)/.ready-test
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@cd plugins && ../$(BIN)/mypy --config-file ../pyproject.toml -p oppflow

images: image-worker image-omnetpp

image-worker:
	@images/build worker $(ARGS)

image-omnetpp:
	@images/build omnetpp $(ARGS)

lock:
	@requirements/lock.sh

clean:
	rm -rf $(VENV) .airflow .cache .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.ready: requirements/py$(MINOR).txt
	@PYTHON=$(PYTHON) bin/make-venv $(VENV) $<
	@touch $@

$(VENV)/.ready-test: requirements/test-py$(MINOR).txt
	@PYTHON=$(PYTHON) bin/make-venv $(VENV) $<
	@touch $@ $(VENV)/.ready

requirements/py%.txt requirements/test-py%.txt:
	@echo "oppflow needs Python 3.10 to 3.13; '$(PYTHON)' is $(or $(MINOR),not there)." >&2
	@echo "What to do: make PYTHON=/path/to/python3.12 ..." >&2
	@exit 1
