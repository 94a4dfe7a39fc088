# Needs python3 with pip or venv, g++, make and perl; no root. `make` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

BOOTSTRAP_PYTHON ?= python3
UV := .bootstrap/bin/uv
BIN := .venv/bin
STAMP := .venv/.installed

SPECS ?= $(wildcard models/*.yaml)
FIRMWARE ?= models/jet_tagger.yaml models/top_tagger.yaml
# Further arguments of pytest: make test ARGS="-m 'not pipeline'"
ARGS ?=

export TF_CPP_MIN_LOG_LEVEL ?= 3
export CUDA_VISIBLE_DEVICES ?= -1

.PHONY: help setup run timemux test firmware-test benchmark lint types imports docs review
.PHONY: constraints clean distclean FORCE

help: ## List the targets
	@awk -F ': .*## ' '/^[a-z-]+:.* ## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install everything into .venv (PYTHON=3.12 chooses the version)

run: $(STAMP) ## Take the models of SPECS from events to verified firmware and a verdict
	$(BIN)/trigforge run $(SPECS)

timemux: $(STAMP) ## Take SPECS to time-multiplexed firmware, whatever they ask for
	$(BIN)/trigforge --reports reports/timemux run $(SPECS) --implementation timemux

test: $(STAMP) ## Run the whole test suite (ARGS are passed to pytest)
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

firmware-test: $(STAMP) ## Simulate the RTL of FIRMWARE cycle by cycle, in C++ and in cocotb
	@for spec in $(FIRMWARE); do \
	  $(BIN)/trigforge rtl $$spec --quiet; \
	  $(BIN)/trigforge rtl $$spec --implementation timemux --quiet; \
	done
	@$(BIN)/python -m pytest firmware_tests $(ARGS)

benchmark: $(STAMP) ## Time the pipeline's parts; writes benchmarks/results.json
	$(BIN)/python benchmarks/run.py

lint: $(STAMP) ## Check rules and format of the Python code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## Check the types of src
	$(BIN)/mypy

imports: $(STAMP) ## Check that imports between modules point one way
	$(BIN)/lint-imports --no-logo

docs: $(STAMP) ## Build the documentation into site; warnings are errors
	$(BIN)/mkdocs build --strict --quiet

review: $(STAMP) ## Check the project's set-up against the Scientific Python guide
	$(BIN)/sp-repo-review . --show err

constraints: $(UV) ## Pin the dependencies anew (UPGRADE=--upgrade takes the newest)
	$(UV) pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --no-emit-index-url --no-header --quiet $(UPGRADE) --output-file constraints.txt

clean: ## Remove caches and what is built; .venv and results stay
	rm -rf site build dist .benchmarks .hypothesis .import_linter_cache .mypy_cache \
	  .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Remove .venv and the installer too
	rm -rf .venv .bootstrap .bootstrap.new

# The stamp is written last: an install that was cut off is done again.
$(STAMP): pyproject.toml constraints.txt src/trigforge/__init__.py \
          $(shell test -x $(BIN)/python || echo FORCE) | $(UV)
	@test -x $(BIN)/python || $(UV) venv --clear $(if $(PYTHON),--python $(PYTHON)) .venv
	$(UV) pip install --python $(BIN)/python --exact \
	  --constraints constraints.txt --build-constraints constraints.txt --editable '.[postgresql]' --group dev
# Where Python may not write bytecode itself, each process would compile TensorFlow for 20 s.
	@$(BIN)/python -m compileall -qq -j 0 -x /tests/ $(BIN)/../lib || true
	@touch $@

# uv comes by pip: from a venv of its own, or, where Debian left venv out, into a plain folder.
$(UV):
	@rm -rf .bootstrap .bootstrap.new
	@if $(BOOTSTRAP_PYTHON) -m venv .bootstrap.new >/dev/null 2>&1; then \
	  .bootstrap.new/bin/python -m pip install --quiet --constraint constraints.txt uv; \
	elif rm -rf .bootstrap.new && $(BOOTSTRAP_PYTHON) -m pip --version >/dev/null 2>&1; then \
	  $(BOOTSTRAP_PYTHON) -m pip install --quiet --target .bootstrap.new \
	    --constraint constraints.txt uv; \
	elif command -v uv >/dev/null; then \
	  mkdir -p .bootstrap.new/bin && ln -s "$$(command -v uv)" .bootstrap.new/bin/uv; \
	else \
	  echo "make setup: $(BOOTSTRAP_PYTHON) has neither venv nor pip, and there is no uv." >&2; \
	  echo "Install one of them: apt install python3-venv, apt install python3-pip, or uv." >&2; \
	  exit 1; \
	fi
	@mv .bootstrap.new .bootstrap
