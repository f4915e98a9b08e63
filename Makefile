# The two commands are `make run` and `make test`; `make help` lists the rest.

VAR := var
VENV := $(VAR)/venv
RECIPE := $(VAR)/recipe
DATA ?= ../shared/datasets
PYTHON ?= python3
PORT ?= 8000
export PORT
# Nothing is written beside the code: the installed packages are compiled by pip, and ours is small.
export PYTHONDONTWRITEBYTECODE := 1
export HYPOTHESIS_STORAGE_DIRECTORY := $(VAR)/hypothesis

.PHONY: help run test test-slow test-all test-recipe lint docs bench encoder clean

help: ## List these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(VENV)/service ## Serve on http://127.0.0.1:8000 (PORT=... changes it); Ctrl-C stops
	@$(VENV)/bin/python docker/run_local.py

test: $(VENV)/tests ## Run the tests but the slow ones
	@$(VENV)/bin/python -m pytest -m "not slow and not recipe"

test-slow: $(VENV)/tests ## Run the slow ones
	@$(VENV)/bin/python -m pytest -m slow

test-all: $(VENV)/tests ## Run all tests, and say how much of the code they run
	@rm -rf $(VAR)/coverage
	@$(VENV)/bin/python -m coverage run -m pytest -m "not recipe"
	@$(VENV)/bin/python -m coverage combine --quiet
	@$(VENV)/bin/python -m coverage report

test-recipe: $(RECIPE)/installed $(VENV)/tests ## Make an encoder of 500 rows, end to end, and load it
	@RECIPE_PYTHON=$(CURDIR)/$(RECIPE)/venv/bin/python RECIPE_DATA=$(DATA) $(VENV)/bin/python -m pytest -m recipe

lint: $(VENV)/tests ## Check style and types
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

docs: $(VENV)/docs ## Build the pages of docs/ into var/site; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

bench: $(VENV)/tests ## Measure against the references, in one run
	@$(VENV)/bin/python -m tests.bench

encoder: $(RECIPE)/installed ## Make the shipped encoder anew from DATA=..., in hours; goes on where it was stopped
	@$(RECIPE)/venv/bin/python -m hate_speech_AI.recipe --data $(DATA) --work $(RECIPE)/work $(ARGUMENTS)

clean: ## Remove the environment and everything the service wrote, the database included
	rm -rf $(VAR)

# A stamp beside the environment says which requirements are in it.
$(VENV)/service: requirements.txt
	@$(PYTHON) docker/install.py $(VENV) requirements.txt
	@touch $@

$(VENV)/tests: tests/requirements.txt $(VENV)/service
	@$(PYTHON) docker/install.py $(VENV) tests/requirements.txt
	@touch $@

$(VENV)/docs: docs/requirements.txt $(VENV)/service
	@$(PYTHON) docker/install.py $(VENV) docs/requirements.txt
	@touch $@

$(RECIPE)/installed: hate_speech_AI/recipe/requirements.txt
	@$(PYTHON) docker/install.py $(RECIPE)/venv $<
	@touch $@
