# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help env check test test-long demo lock clean
.PHONY: chaos soak bench-ingest bench-end-to-end bench-freshness bench-quality bench-growth
.PHONY: bench-snapshots bench-recovery bench-catalogue bench-drift
FOLDERS := contracts learners state streams serving headwater benchmarks tests

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

env: $(VENV)/.ready  ## make the virtual environment from the hashed lock file

$(VENV)/.ready: requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "headwater needs Python 3.11 or newer, this is %s; run make PYTHON=/path/to/python3.11" % sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-uv.lock
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

check: env  ## style, types and the direction of imports
	$(BIN)/ruff check $(FOLDERS)
	$(BIN)/ruff format --check $(FOLDERS)
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check  ## everything, with a real Kafka and a real Redis for each of two processes
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-long: env  ## what `make test` has no time for, on real services
	$(BIN)/python -m pytest -m long

demo: env  ## Kafka, Redis, worker, page and a stream: SECONDS=60 DATA=file.csv.gz RATE=2000
	@$(BIN)/headwater demo $(if $(SECONDS),--seconds "$(SECONDS)") $(if $(DATA),--data "$(DATA)") $(if $(RATE),--rate "$(RATE)")

chaos: env  ## kill, freeze and cut off everything under load, then check the state: SECONDS=240 SEED=7
	@$(BIN)/python -m benchmarks.chaos $(if $(SECONDS),--seconds "$(SECONDS)") $(if $(SEED),--seed "$(SEED)") $(ARGS)

soak: env  ## memory of a worker at full capacity over 10,000,000 events: ARGS="--events 1000000"
	@$(BIN)/python -m benchmarks.soak $(ARGS)

bench-ingest: env  ## events per second without a learner, beside its peers: ARGS="--rounds 3"
	@$(BIN)/python -m benchmarks.ingest $(ARGS)

bench-end-to-end: env  ## events per second from Kafka to lists in Redis, with a profile: ARGS="--data DIR"
	@$(BIN)/python -m benchmarks.end_to_end $(ARGS)

bench-freshness: env  ## from Kafka's timestamp to a readable list, and GETs meanwhile: SECONDS=60
	@$(BIN)/python -m benchmarks.freshness $(if $(SECONDS),--seconds "$(SECONDS)") $(ARGS)

bench-quality: env  ## quality of the lists beside peers, on published streams: ARGS="--only targets"
	@$(BIN)/python -m benchmarks.quality $(ARGS)

bench-growth: env  ## cost per event with a million users and items, and with a thousand
	@$(BIN)/python -m benchmarks.growth $(ARGS)

bench-snapshots: env  ## what snapshots of 200 MB cost, on and off in turns: ARGS="--partitions 4"
	@$(BIN)/python -m benchmarks.snapshots $(ARGS)

bench-catalogue: env  ## until a hidden item is gone from every list; a large catalogue
	@$(BIN)/python -m benchmarks.catalogue $(ARGS)

bench-drift: env  ## what reacting to a change of taste is worth: ARGS="--stationary 100000"
	@$(BIN)/python -m benchmarks.drift $(ARGS)

bench-recovery: env  ## what disasters take, and how long until answers are fresh: ARGS="--only redis-wiped"
	@$(BIN)/python -m benchmarks.recovery $(ARGS)

lock:  ## resolve the dependencies anew
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url \
	  --no-annotate --no-header --upgrade pyproject.toml --group dev -o requirements.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url \
	  --no-annotate --no-header -c requirements.lock pyproject.toml -o requirements-run.lock
	printf 'uv\nsetuptools\n' | $(BIN)/uv pip compile --quiet --generate-hashes --universal --no-emit-index-url \
	  --no-annotate --no-header -c requirements.lock - -o requirements-uv.lock

clean:  ## remove the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
