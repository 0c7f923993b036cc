# Every target makes what it needs: a fresh clone needs Python 3.11+, make and a
# package registry. Set PYTHON to choose the interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LIBRARY := $(VENV)/.library
STAMP := $(VENV)/.installed

.PHONY: demo test lowest nightly servers check bench docs clean

# The library with its extras: all that a demonstration needs.
$(LIBRARY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("memberops needs Python 3.11 or newer: set PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@echo "installing memberops and its extras into $(VENV)"
	$(BIN)/python -m pip install --quiet --editable ".[all]"
	@touch $@

$(STAMP): $(LIBRARY)
	@echo "installing what tests, checks and documentation need"
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group dev
	@test ! -d examples/memberops-acme || $(BIN)/python -m pip install --quiet --no-deps --editable examples/memberops-acme
	@touch $@

demo: $(LIBRARY)
	$(BIN)/python -m memberops.testing.demo demo-chain
	$(BIN)/memberops month-end --chain demo-chain/chain.toml --month 2026-10 --out demo-chain/out

# Bytecode is kept even where the environment forbids it: the tests start many
# processes, and each would compile the library anew. conftest.py deals out the tests,
# to one worker more than two cores: tests wait for databases, servers and time-outs.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder

test: $(STAMP)
	$(PYTEST)

# The core alone, without extras, on the oldest versions it declares.
lowest: .venv-lowest/.installed
	.venv-lowest/bin/python -m pytest tests/test_analyses.py tests/test_formulas.py tests/test_card_state.py tests/test_renewal.py

.venv-lowest/.installed: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-lowest/bin/python -m pip install --quiet --constraint constraints-lowest.txt --editable . hypothesis pytest sybil
	@touch $@

nightly: $(STAMP)
	$(PYTEST) -m "nightly or hypothesis" --hypothesis-profile=nightly

# Real servers of others: installed into .servers, filled, read; skipped where absent.
# SERVERS=tryton is for that one alone, and INSTALL=0 for what is there already.
SERVERS ?= tryton medusa vendure
INSTALL ?= 900
servers: $(STAMP)
	test $(INSTALL) = 0 || $(BIN)/python tests/servers/start.py --install --seconds $(INSTALL) $(SERVERS)
	$(BIN)/python -m pytest -m servers -k "$(if $(word 2,$(SERVERS)),,$(SERVERS))" tests/test_real_pos.py

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
	rm -rf $(VENV) .venv-lowest docs/_build demo-chain dist
