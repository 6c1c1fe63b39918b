# The verbs of this project; `make help` lists them.
PYTHON  ?= $(shell command -v python3.11 || command -v python3)
EDITION ?= synthetic
VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
BENCH   := .venv-bench

.DEFAULT_GOAL := help
.PHONY: help book test fuzz words bench lint format lab lock clean

help:  ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  EDITION=nw-ucla chooses the data and the model of the whole book; default: $(EDITION)"

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --no-deps -e .
	@touch $@

book: $(READY)  ## run every chapter and build the site
	$(BIN)/stgbook book --edition $(EDITION)

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest

fuzz: $(READY)  ## damage 20,000 files, and see that what comes in is sound or refused
	$(BIN)/python tests/fuzz.py -n 20000

words: $(READY)  ## write the snapshots of what the studies say anew
	$(BIN)/python -m pytest tests/studies -k words --renew-words

# aeon needs an older numba than the book is locked to, hence an environment of its own
$(BENCH)/.ready: requirements-bench.lock pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-bench.lock
	$(BENCH)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check --no-deps -e .
	@touch $@

bench: $(BENCH)/.ready  ## measure speed beside other libraries
	$(BENCH)/bin/python -m analysis_lib.bench

lint: $(READY)  ## check style, imports between rooms, and that notebooks hold no outputs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/nbstripout --verify --keep-id book/*.ipynb
	$(BIN)/lint-imports --no-cache

format: $(READY)  ## bring code and notebooks into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout --keep-id book/*.ipynb

lab: $(READY)  ## open the chapters in JupyterLab
	$(BIN)/jupyter lab book

lock:  ## write both lock files anew from the ranges of pyproject.toml
	$(PYTHON) -m venv --clear _build/lock
	_build/lock/bin/python -m pip install --quiet 'torch==2.13.0'
	_build/lock/bin/python -m pip install --quiet '.[dev,lab]'
	_build/lock/bin/python -m pip freeze --exclude stgbook | sed 's/+cpu$$//' > requirements.lock
	$(PYTHON) -m venv --clear _build/lock-bench
	_build/lock-bench/bin/python -m pip install --quiet 'torch==2.13.0'
	_build/lock-bench/bin/python -m pip install --quiet click einops safetensors tqdm $$($(PYTHON) -c 'import tomllib; \
	  print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["bench"])')
	_build/lock-bench/bin/python -m pip freeze | sed 's/+cpu$$//' > requirements-bench.lock

clean:  ## remove what was built (not the virtual environment)
	rm -rf _build
