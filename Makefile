# Every command a person types. What is longer than three lines is a script in infra/local/.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down status logs test lint package
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
PYTHON := $(BIN)/python
CODE := app.py chalicelib gateway infra player worker

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing: nginx, mpv, ffmpeg, and a Python environment in .venv
	@infra/local/setup.sh

demo: setup ## Show the product: put a real video live, play it in mpv until 100 points are gone (DEMO_SOURCE=file)
	@$(PYTHON) -m infra.local.demo

up: setup ## Start the platform in the background (TOLLCAST_PORT, TOLLCAST_EMULATOR_PORT, TOLLCAST_STATE_DIR)
	@$(PYTHON) -m infra.local.stack up

down: setup ## Stop the platform; its state stays in .local/
	@$(PYTHON) -m infra.local.stack down

status: setup ## Show the parts of the platform and whether each is healthy
	@$(PYTHON) -m infra.local.stack status

logs: setup ## Follow the logs of all parts, or of some: make logs PARTS="api worker"
	@$(PYTHON) -m infra.local.stack logs $(PARTS)

test: setup lint ## Lint, then run all tests (ARGS="tests/unit -k lease" for some)
	@$(PYTHON) -m pytest $(ARGS)

lint: setup ## Check style, types and the import rules
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(PYTHON) -m mypy $(CODE)
	@$(BIN)/lint-imports

package: setup ## Pack the functions for Lambda: dist/functions.zip and dist/template.json
	@$(PYTHON) -m infra.deploy.package dist
