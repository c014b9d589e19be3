# What a person types: `make app`, `make test`, `make bench`. Each sets up what it needs and says so.

PYTHON ?= python3.11
PORT ?= 8501
VENV := .venv
RUN := $(VENV)/bin/python
SETUP := $(VENV)/.requirements-installed

.DEFAULT_GOAL := help
.PHONY: help app test bench setup

help:
	@echo "make app [PORT=8501]   open the workstation in a browser at 127.0.0.1:PORT"
	@echo "make test              run every test, with the linters and the type checker among them"
	@echo "make bench             run the benchmarks and print what they measure"

app: setup
	@exec $(RUN) -m app serve --port $(PORT)

test: setup
	@echo "Running all tests."
	@exec $(RUN) -m pytest $(PYTEST_OPTIONS)

bench: setup
	@echo "Running the benchmarks."
	@exec $(RUN) -m tests.benchmarks

setup: $(SETUP)

$(RUN):
	@echo "Creating the virtual environment in $(VENV)."
	@$(PYTHON) -m venv $(VENV)

$(SETUP): requirements.txt | $(RUN)
	@echo "Installing the pinned requirements (a few minutes the first time)."
	@$(RUN) -m pip install --quiet --quiet --disable-pip-version-check --requirement requirements.txt
	@cp requirements.txt $(SETUP)
