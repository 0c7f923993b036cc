# Every target makes what it needs: a fresh clone needs Python 3.11+, make and a
# package registry. Set PYTHON to choose the interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test nightly check bench docs clean

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("memberops needs Python 3.11 or newer: set PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group dev
	@test ! -d examples/memberops-acme || $(BIN)/python -m pip install --quiet --no-deps --editable examples/memberops-acme
	@touch $@

demo: $(STAMP)
	$(BIN)/python -m memberops.testing.demo demo-chain
	$(BIN)/memberops month-end --chain demo-chain/chain.toml --month 2026-10 --out demo-chain/out

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

nightly: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m nightly

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sphinx-build -n -W --keep-going -q -b html docs docs/_build/html

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py

docs: $(STAMP)
	$(BIN)/sphinx-build -n -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf $(VENV) docs/_build demo-chain dist
