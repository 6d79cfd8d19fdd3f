# Everything a contributor runs. Each word sets up what it needs in $(VENV), anew only when pyproject.toml or
# constraints.txt changed; a machine needs Python 3.11 or newer and make, and nothing else.
.DEFAULT_GOAL := help
.PHONY: help demo test lint contracts sim crash mutants peers bench docs wheel clean
.SUFFIXES:

PYTHON ?= python3
VENV ?= .venv
N ?= 200
JOBS ?= 2
SEED ?=
KILLS ?= 20
ARGS ?=

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

help:
	@echo "make demo             two systems and a sheet come to agree, on this machine alone, before your eyes"
	@echo "make test             every test that needs nothing but this machine"
	@echo "make lint             style, types, import contracts, unused and missing dependencies"
	@echo "make contracts        emulators and connectors against the vendors' contracts in \$$SMARKETING_SPECS"
	@echo "make sim   N=200      that many lives of an installation, with faults; SEED=17 plays one again"
	@echo "make crash KILLS=20   a real process killed that often in mid-run, and a day disturbed everywhere it can be"
	@echo "make mutants          engines with one rule switched off, and the seed by which the simulator finds each"
	@echo "make peers            programs of other people take our stand-ins for the vendors (npm and node are needed)"
	@echo "make bench            how long it takes, and how much memory"
	@echo "make docs             write the generated pages anew, and check that nothing is missing in the others"
	@echo "make wheel            build the package, look into it, install it elsewhere and try it"
	@echo "make clean            remove the environment and what was built"

demo: $(VENV)/.demo
	@$(BIN)/smarketing demo $(ARGS)

test: $(VENV)/.dev
	env -u SMARKETING_SPECS $(BIN)/pytest -q -rfE -n $(JOBS) --dist worksteal $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

contracts: $(VENV)/.dev
	@test -n "$$SMARKETING_SPECS" || { echo "contracts: SMARKETING_SPECS is not set; it names the folder of the vendors' OpenAPI files" >&2; exit 1; }
	$(BIN)/pytest -q tests/contracts $(ARGS)

sim: $(VENV)/.dev
	$(BIN)/python -m tests.sim $(if $(SEED),--seed $(SEED),--seeds $(N) --jobs $(JOBS)) $(ARGS)

crash: $(VENV)/.dev
	$(BIN)/python -m tests.crash --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(ARGS)
	$(BIN)/python -m tests.crash.everywhere --jobs $(JOBS)

mutants: $(VENV)/.dev
	$(BIN)/python -m tests.sim.mutants $(ARGS)

peers: $(VENV)/.dev
	$(BIN)/python -m tests.peers $(ARGS)

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.dev
	$(BIN)/python -m docs
	$(BIN)/pytest -q tests/docs

wheel: $(VENV)/.dev
	$(BIN)/python -m tests.wheel

clean:
	rm -rf $(VENV) .peers dist build

# --- the environment ---------------------------------------------------------------------------------------------

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; \"$(PYTHON)\" is $$($(PYTHON) -V 2>&1). Name another one: make PYTHON=python3.11 …" >&2; exit 1; }
	@echo "setting up $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV) || { echo "\"$(PYTHON) -m venv\" failed; on Debian and Ubuntu it is in the package python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml constraints.txt
	@$(INSTALL) -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	@$(INSTALL) -e '.[dev,postgres,demo]'
	@touch $(VENV)/.demo $@
