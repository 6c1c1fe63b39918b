# The verbs of this project; `make help` lists them.
PYTHON  ?= $(shell command -v python3.11 || command -v python3)
EDITION ?= synthetic
VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help book test lint format lab lock clean

help:  ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  EDITION=nw-ucla chooses the data and the model of the whole book; default: $(EDITION)"

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

book: $(READY)  ## run every chapter and build the site
	$(BIN)/stgbook book --edition $(EDITION)

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest

lint: $(READY)  ## check style, and that notebooks hold no outputs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/nbstripout --verify --keep-id book/*.ipynb

format: $(READY)  ## bring code and notebooks into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout --keep-id book/*.ipynb

lab: $(READY)  ## open the chapters in JupyterLab
	$(BIN)/jupyter lab book

lock:  ## write requirements.lock anew from the ranges of pyproject.toml
	$(PYTHON) -m venv --clear _build/lock
	_build/lock/bin/python -m pip install --quiet 'torch==2.13.0'
	_build/lock/bin/python -m pip install --quiet '.[dev,lab]'
	_build/lock/bin/python -m pip freeze --exclude stgbook | sed 's/+cpu$$//' > requirements.lock

clean:  ## remove what was built (not the virtual environment)
	rm -rf _build
