# The two commands are `make run` and `make test`; `make help` lists the rest.

VAR := var
VENV := $(VAR)/venv
RECIPE := $(VAR)/recipe
DATA ?= ../shared/datasets
PYTHON ?= python3
# Write no bytecode beside the code: pip compiles the installed packages, and ours is small.
export PYTHONDONTWRITEBYTECODE := 1
export HYPOTHESIS_STORAGE_DIRECTORY := $(VAR)/hypothesis

.PHONY: help run test test-slow test-all test-recipe lint docs lock audit bench encoder clean

help: ## List these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(VENV)/service ## Serve on http://127.0.0.1:8000 (PORT=... changes the port); Ctrl-C stops it
	@$(VENV)/bin/python docker/run_local.py

test: $(VENV)/tests ## Run all tests except the slow ones
	@$(VENV)/bin/python -m pytest -m "not slow and not recipe"

test-slow: $(VENV)/tests ## Run the slow tests
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

lock: $(VAR)/lock/installed ## Pin what the *.in files name, with hashes; ARGUMENTS=--upgrade takes new releases
	@for names in requirements.in docker/web-packages.txt tests/requirements.in docs/requirements.in docker/audit-requirements.in; do \
	  pinned=$$(echo $$names | sed 's/web-packages/web-requirements/; s/\.in$$/.txt/'); \
	  $(VAR)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --strip-extras \
	    --custom-compile-command "make lock" --output-file $$pinned $$names $(ARGUMENTS) || exit; \
	done

audit: $(VAR)/audit/installed ## List the packages in var/sbom.json, and look for their known faults
	@VAR=$(VAR) bash .ci/audit

bench: $(VENV)/tests ## Measure speed and quality against the references
	@$(VENV)/bin/python -m tests.bench

encoder: $(RECIPE)/installed ## Rebuild the shipped encoder from DATA=...; it takes hours, and a stopped run continues
	@$(RECIPE)/venv/bin/python -m hate_speech_AI.recipe.word_table --data $(DATA) --work $(RECIPE)/work
	@$(RECIPE)/venv/bin/python -m hate_speech_AI.recipe --data $(DATA) --work $(RECIPE)/work $(ARGUMENTS)

clean: ## Remove the environment and everything the service wrote, the database included
	rm -rf $(VAR)

# A stamp in the environment for each requirements file that is installed in it.
$(VENV)/service: requirements.txt
	@$(PYTHON) docker/install.py $(VENV) requirements.txt
	@touch $@

$(VENV)/tests: tests/requirements.txt $(VENV)/service
	@$(PYTHON) docker/install.py $(VENV) tests/requirements.txt
	@touch $@

$(VENV)/docs: docs/requirements.txt $(VENV)/service
	@$(PYTHON) docker/install.py $(VENV) docs/requirements.txt
	@touch $@

$(VAR)/lock/installed $(VAR)/audit/installed: $(VAR)/%/installed: docker/%-requirements.txt
	@$(PYTHON) docker/install.py $(VAR)/$* $<
	@touch $@

$(RECIPE)/installed: hate_speech_AI/recipe/requirements.txt
	@$(PYTHON) docker/install.py $(RECIPE)/venv $<
	@touch $@
