# Every command that people type. A command of more than three lines is a script in infra/local/.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down status logs test soak load kills adversary scenes alarms canary chaos zoo issues mutants admin lint advisories fuzz bench cutoff package
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
PYTHON := $(BIN)/python
# Four processes share the suite, since much of it is waiting. Each starts its platforms on separate ports.
IN_PARALLEL := --numprocesses 4 --dist loadfile --no-loadscope-reorder
# Options of the long runs: SEED=1 repeats a run, ARGS adds others.
RUN = $(if $(SEED),--seed $(SEED)) $(ARGS)
FOR_MINUTES = $(if $(MINUTES),--minutes $(MINUTES))
CODE := app.py bench canary chalicelib gateway infra player tollcast_admin worker

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "docs/settings.md lists the environment variables that they read, such as TOLLCAST_PORT."

setup: ## Install missing packages: nginx, mpv, ffmpeg, Python packages
	@infra/local/setup/install.sh

demo: setup ## Play a real video in mpv until 100 points are used up
	@$(PYTHON) -m infra.local.demo

up: setup ## Start the platform in the background (WITH="prometheus canary": with these)
	@$(if $(filter prometheus,$(WITH)),infra/local/setup/install.sh prometheus)
	@$(PYTHON) -m infra.local.stack up $(WITH)

down: setup ## Stop the platform and keep its state in .local/
	@$(PYTHON) -m infra.local.stack down

status: setup ## Show the parts of the platform and their health
	@$(PYTHON) -m infra.local.stack status

logs: setup ## Follow the logs (PARTS="api worker": of some parts)
	@$(PYTHON) -m infra.local.stack logs $(PARTS)

test: setup lint ## Lint, then run all tests (ARGS="tests/unit": some tests)
	@infra/local/setup/install.sh test
	@$(PYTHON) -m infra.dashboard test
	@$(PYTHON) -m pytest $(or $(ARGS),$(IN_PARALLEL))

soak: setup ## Run 100,000 operations on wallets with faults (SEED=1 ROUNDS=7:8: repeat one round)
	@$(PYTHON) -m tests.faults.commands.soak $(RUN) $(if $(ROUNDS),--rounds $(ROUNDS)) \
	  $(if $(MOVES),--moves $(MOVES)) $(if $(OPERATIONS),--operations $(OPERATIONS))

load: setup ## Send heartbeats to one wallet with 8 sessions from 64 threads for a minute (MINUTES=0.2)
	@$(PYTHON) -m tests.faults.commands.load $(RUN) $(FOR_MINUTES)

kills: setup ## Kill each process 20 times while viewers pay (ARGS="--times 1")
	@$(PYTHON) -m tests.faults.commands.kills $(RUN)

adversary: setup ## Play 10 minutes of strategies to watch more than is paid for (MINUTES=3 ARGS="--only ranges")
	@$(PYTHON) -m tests.faults.adversary $(RUN) $(FOR_MINUTES)

scenes: setup ## Watch through a pause, a gateway without its store and an empty wallet (7 minutes)
	@$(PYTHON) -m tests.faults.commands.scenes $(RUN)

alarms: setup ## Make the cause of each alarm, and check that it fires in Prometheus and clears (15 minutes)
	@infra/local/setup/install.sh prometheus
	@$(PYTHON) -m tests.alarms $(RUN)

canary: setup ## Watch the running platform once as a synthetic viewer, who pays and checks the bill
	@$(PYTHON) -m infra.local.stack run infra.local.processes.canary $(ARGS)

chaos: setup ## Kill parts of the pipeline for 10 minutes while mpv plays (SEED=1 MINUTES=2)
	@$(PYTHON) -m tests.chaos $(RUN) $(FOR_MINUTES)

zoo: setup ## Play every kind of source with a paying viewer, in 20 minutes (ARGS="--list", "--only gap-40ms")
	@$(PYTHON) -m tests.media $(ARGS)

issues: setup ## Measure when each ingest issue opens and closes, with real inputs (ARGS="rotated": some inputs)
	@$(PYTHON) -m tests.issues $(ARGS)
	@$(PYTHON) -m pytest tests/issues/slow_live_issues.py

mutants: setup ## Insert known bugs and mutmut's changes, and check that tests find them (ARGS="name": some)
	@$(PYTHON) -m tests.faults.commands.mutants $(RUN)

admin: setup ## Serve the dashboard with Vite over the running platform, for those who change it
	@$(PYTHON) -m infra.dashboard serve

lint: setup ## Check style, types, import rules and insecure patterns
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(PYTHON) -m mypy $(CODE)
	@$(BIN)/lint-imports
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(CODE)
	@$(PYTHON) -m infra.dashboard check

advisories: setup ## Look up known vulnerabilities of pinned packages (needs the network; status 3: no answer)
	@infra/local/setup/install.sh test
	@$(PYTHON) -m infra.dev.advisories

fuzz: setup ## Test the API against its OpenAPI document for long (ARGS="--examples 20 --only /me")
	@$(PYTHON) -m tests.schema --bounds $(RUN)

bench: setup ## Measure the cost of wallet operations, the worker, media authorization and logins
	@infra/local/setup/install.sh bench
	@$(PYTHON) -m bench.write_units
	@$(PYTHON) -m bench.pipeline
	@$(PYTHON) -m bench.gateway_auth
	@$(PYTHON) -m bench.login_timing

cutoff: setup ## Measure how long media is served after a session's end, 200 times a cause (ARGS="--trials 20")
	@$(PYTHON) -m bench.cutoff $(ARGS)

package: setup ## Package the functions for Lambda in dist/
	@$(PYTHON) -m infra.deploy.package dist
