# Two commands: `make demo` runs the quickstart, `make test` checks everything. No target needs another first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
ROUNDS ?= 5
NOTEBOOK := notebooks/quickstart.ipynb
ALL_CORES := --numprocesses auto --dist loadfile
COVERAGE := --cov --cov-report=
CHROMIUM := $(shell command -v chromium || command -v chromium-browser)

# The demo keeps what it makes in this folder; delete .zennb to start afresh.
export ZENNB_HOME := $(CURDIR)/.zennb

.DEFAULT_GOAL := help
.PHONY: help demo lab test soak bench format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## run the quickstart; run it again and everything is cached
	$(BIN)/zennb run $(NOTEBOOK) -o build/quickstart.ipynb
	@echo
	@echo "The executed notebook is build/quickstart.ipynb. To open it in JupyterLab and play with it: make lab"

lab: $(VENV)/.lab ## open the quickstart in JupyterLab
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(NOTEBOOK)

test: $(VENV)/.test ## everything that continuous integration checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
ifeq ($(CHROMIUM),)
	@echo "No Chromium here: the browser tests are left out. On Debian: apt-get install chromium"
	env -u ZENNB_HOME $(BIN)/python -m pytest $(ALL_CORES) $(COVERAGE) -m "not browser"
else
	env -u ZENNB_HOME $(BIN)/python -m pytest $(ALL_CORES) $(COVERAGE)
endif
	@echo "Coverage: the tests run $$($(BIN)/coverage report --format=total) % of the lines of zennb, file by file: $(BIN)/coverage report"

bench: $(BENCH)/.made ## compare speeds; quick: make bench ROUNDS=1 CONTESTS="starting chain"
	$(BENCH)/bin/python -m benchmarks $(CONTESTS) --rounds $(ROUNDS)

soak: $(VENV)/.test ## edit and run notebooks at random, thousands of times: compare with a plain kernel, and plans with runs
	env -u ZENNB_HOME ZENNB_REUSE_ROUNDS=2000 $(BIN)/python -m pytest tests/reuse/test_machine.py -q -s
	env -u ZENNB_HOME ZENNB_STATUS_EDITS=8000 $(BIN)/python -m pytest tests/status -q -s
	env -u ZENNB_HOME ZENNB_FILE_ROUNDS=2000 $(BIN)/python -m pytest tests/file_status/test_machine.py -q -s

format: $(VENV)/.test ## put the code into its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## delete what the targets above made, the demo's store included
	rm -rf $(VENV) $(BENCH) .zennb build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*

# Stamps: installing again is only needed when the dependencies change.

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zennb needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo $(VENV)/.lab $(VENV)/.test: $(VENV)/.%: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --retries 5 --editable ".[$*]"
	touch $@

# Each peer on its own: one that cannot be installed is told in the table, and the others compete.
$(BENCH)/.made: pyproject.toml benchmarks/requirements.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --retries 5 --editable ".[frames,kernel]"
	grep -v '^#' benchmarks/requirements.txt | while read -r peer; do \
		$(BENCH)/bin/python -m pip install --quiet --retries 5 $$peer || echo "left out: $$peer"; \
	done
	touch $@
