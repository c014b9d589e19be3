# What a person types: `make app`, `make test`, `make bench`. Each sets up what it needs and says so.

PYTHON ?= python3.11
PORT ?= 8501
SOURCE ?= ../shared/cxr/montgomery-shenzhen
PRESET ?= cpu
VENV := .venv
RUN := $(VENV)/bin/python
SETUP := $(VENV)/.requirements-installed

.DEFAULT_GOAL := help
.PHONY: help app test bench starter setup

help:
	@echo "make app [PORT=8501]   open the workstation in a browser at 127.0.0.1:PORT"
	@echo "make test              run every test, with the linters and the type checker among them"
	@echo "make bench             run the benchmarks and print what they measure"
	@echo "make starter [SOURCE=folder]  train the lung model that ships in data/starter again"

app: setup
	@exec $(RUN) -m app serve --port $(PORT)

test: setup
	@echo "Running all tests."
	@exec $(RUN) -m pytest $(PYTEST_OPTIONS)

bench: setup
	@echo "Running the benchmarks."
	@exec $(RUN) -m tests.benchmarks

# The workspace is a new one, so the model trained in it is the first. It is kept, for whoever wants to look closer.
starter: setup
	@set -e; export READING_ROOM_HOME="$$(mktemp -d)"; \
	echo "Training the starter model on $(SOURCE) in $$READING_ROOM_HOME (about half an hour on two cores)."; \
	$(RUN) -m app import folder "$(SOURCE)" --dataset montgomery-shenzhen; \
	$(RUN) -m app snapshot starter --dataset montgomery-shenzhen; \
	$(RUN) -m app train segmentation --snapshot starter --preset $(PRESET) --wait; \
	$(RUN) -m app evaluate segmentation-v1 --snapshot starter --split test; \
	$(RUN) -m trainers.starter segmentation-v1

setup: $(SETUP)

$(RUN):
	@echo "Creating the virtual environment in $(VENV)."
	@$(PYTHON) -m venv $(VENV)

$(SETUP): requirements.txt | $(RUN)
	@echo "Installing the pinned requirements (a few minutes the first time)."
	@$(RUN) -m pip install --quiet --quiet --disable-pip-version-check --requirement requirements.txt
	@cp requirements.txt $(SETUP)
