# Two commands do everything on a machine that has Python 3.10 or later: `make demo` and `make test`.

PYTHON ?= python3
VENV ?= .venv
# Where Windows has the programs of an environment, and others.
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow bench mutate lint docs clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $@

demo: $(READY)  ## Generate from the shipped model, train on data/ for a minute, generate from that
	@mkdir -p demo
	$(BIN)/melodygru generate --bars 16 --seed 1 --force demo/song.mid
	$(BIN)/melodygru train data demo/first --max-minutes 1 --seed 1 --force
	$(BIN)/melodygru generate --model demo/first.safetensors --bars 16 --seed 1 --force demo/first.mid
	@echo
	@echo "Listen to these in any player or DAW:"
	@echo "  demo/song.mid    from the model that comes along (checkpoints/repertoire.safetensors)"
	@echo "  demo/first.mid   from the model that was just trained (demo/first.safetensors)"

test: $(READY)  ## Run the tests (about six minutes on two cores), and tell how much of each room they cover
	@mkdir -p build
	$(BIN)/python -W "ignore:Unable to activate pytest" -m slipcover -m pytest -q -n 2 --dist worksteal
	@$(BIN)/python scripts/check_coverage.py

test-slow: $(READY)  ## Run the slow tests too, five minutes of fuzzing among them
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not gpu and not daw"

bench: $(READY)  ## Measure start-up, sampling, training and reading (about eight minutes; see docs/performance.md)
	$(BIN)/python benchmarks/bench_start.py
	$(BIN)/python benchmarks/bench_sample.py
	$(BIN)/python benchmarks/bench_train.py
	$(BIN)/python benchmarks/bench_read.py
	$(BIN)/python benchmarks/bench_studio.py
	$(BIN)/python -m melodygru.studio.standalone.runtime
	$(BIN)/python benchmarks/bench_page.py

mutate: $(READY)  ## Change constraints, look-ahead and sampler in small ways, and show what no test notices (half an hour)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[mutation]"
	$(BIN)/python scripts/mutate.py

lint: $(READY)  ## Check style, types and the floors of the house, scripts and tests included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy scripts
	$(BIN)/lint-imports
	PATH="$(BIN):$$PATH" $(BIN)/npx --yes --package typescript@5.9.3 tsc -p melodygru/studio/page/jsconfig.json

docs: $(READY)  ## Build the site with its players into build/site, every link checked (five minutes)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[docs]"
	$(BIN)/python scripts/build_site.py

clean:  ## Remove the environment and everything that was made
	rm -rf $(VENV) demo dist build mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis
