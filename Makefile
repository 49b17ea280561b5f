# Every command a person types. What is longer than three lines is a script in infra/local/.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down status logs test soak load kills chaos zoo mutants lint audit fuzz bench cutoff package
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
PYTHON := $(BIN)/python
# Three processes share the suite, since much of it is waiting; each starts what its tests need on ports of its own.
SIDE_BY_SIDE := --numprocesses 3 --dist loadfile --no-loadscope-reorder
# The options of the long runs: SEED=1 repeats a run, ARGS has more.
RUN = $(if $(SEED),--seed $(SEED)) $(ARGS)
FOR_MINUTES = $(if $(MINUTES),--minutes $(MINUTES))
CODE := app.py bench chalicelib gateway infra player worker

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Set in the environment: DEMO_SOURCE=file, TOLLCAST_PORT (8080),"
	@echo "  TOLLCAST_EMULATOR_PORT (4566), TOLLCAST_RTMP_PORT (1935), TOLLCAST_STATE_DIR (.local)"

setup: ## Install what is missing: nginx, mpv, ffmpeg, Python packages
	@infra/local/setup.sh

demo: setup ## Show it: a real video in mpv, until 100 points are gone
	@$(PYTHON) -m infra.local.demo

up: setup ## Start the platform in the background
	@$(PYTHON) -m infra.local.stack up

down: setup ## Stop the platform; its state stays in .local/
	@$(PYTHON) -m infra.local.stack down

status: setup ## Show the parts of the platform and whether each is healthy
	@$(PYTHON) -m infra.local.stack status

logs: setup ## Follow the logs (PARTS="api worker" for some)
	@$(PYTHON) -m infra.local.stack logs $(PARTS)

test: setup lint ## Lint, then run all tests (ARGS="tests/unit" for some)
	@infra/local/setup.sh test
	@$(PYTHON) -m pytest $(or $(ARGS),$(SIDE_BY_SIDE))

soak: setup ## Let 100,000 operations meet faults (SEED=1 ROUNDS=7:8 repeats a round)
	@$(PYTHON) -m tests.faults.commands.soak $(RUN) $(if $(ROUNDS),--rounds $(ROUNDS)) \
	  $(if $(MOVES),--moves $(MOVES)) $(if $(OPERATIONS),--operations $(OPERATIONS))

load: setup ## Send heartbeats for one wallet from 64 threads for a minute (MINUTES=0.2)
	@$(PYTHON) -m tests.faults.commands.load $(RUN) $(FOR_MINUTES)

kills: setup ## Kill each process 20 times while viewers pay (ARGS="--times 1")
	@$(PYTHON) -m tests.faults.commands.kills $(RUN)

chaos: setup ## Kill parts of the pipeline for 10 minutes while mpv plays (SEED=1 MINUTES=2)
	@$(PYTHON) -m tests.chaos $(RUN) $(FOR_MINUTES)

zoo: setup ## Watch every kind of source with a paying viewer, in 20 minutes (ARGS="--list", "--only gap-40ms")
	@$(PYTHON) -m tests.media $(ARGS)

mutants: setup ## Plant known bugs one by one; a test has to find each (ARGS="name" for some)
	@$(PYTHON) -m tests.faults.commands.mutants $(ARGS)

lint: setup ## Check style, types, the import rules and known insecure patterns
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(PYTHON) -m mypy $(CODE)
	@$(BIN)/lint-imports
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(CODE)

audit: setup ## Ask which pinned packages have known vulnerabilities (wants the network; 3: could not be asked)
	@infra/local/setup.sh test
	@$(PYTHON) -m infra.local.audit

fuzz: setup ## Check the API against its OpenAPI document with thousands of requests (ARGS="--examples 20 --only /me")
	@$(PYTHON) -m tests.schema --bounds $(RUN)

bench: setup ## Measure what a wallet's operations, the worker, the gateway's access rule and logins cost
	@infra/local/setup.sh bench
	@$(PYTHON) -m bench.write_units
	@$(PYTHON) -m bench.pipeline
	@$(PYTHON) -m bench.gateway_auth
	@$(PYTHON) -m bench.login_timing

cutoff: setup ## Measure how long media is served after its end, 200 times for each cause (ARGS="--trials 20")
	@$(PYTHON) -m bench.cutoff $(ARGS)

package: setup ## Pack the functions for Lambda into dist/
	@$(PYTHON) -m infra.deploy.package dist
