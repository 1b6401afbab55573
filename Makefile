# Two commands: `make run` serves Plumbline, `make test` runs everything. `make help` lists the rest.
# Needed from the system: make and Python 3.11 with its venv module (Debian: python3.11 python3.11-venv).

SHELL := /bin/sh
VENV := .venv

# The first of these that really is a Python 3.11; `make run PYTHON=/path/to/python3.11` names another
is_311 = $(if $(1),$(shell $(1) -c 'import sys; print(sys.version_info[:2] == (3, 11))' 2>/dev/null))
ifeq ($(origin PYTHON),undefined)
PYTHON := $(firstword $(foreach name,python3.11 python3 python,$(if $(filter True,$(call is_311,$(name))),$(name))))
WRONG_PYTHON := Plumbline needs Python 3.11 (Debian: python3.11 and python3.11-venv); none was found, name one with: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3.11
else
WRONG_PYTHON := Plumbline needs Python 3.11; $(PYTHON) is not one
endif

.DEFAULT_GOAL := help
.PHONY: help run test unit stories soak check bench coverage-study tamper-study pictures reference client install install-tests python

help:
	@echo "make run      set everything up, serve on 127.0.0.1:\$$PORT (8000), audit the bundled sample"
	@echo "make test     everything: style, types, structure, unit tests, stories"
	@echo "make unit     the fast tests only    make stories  the stories only    make check  style, types and structure only"
	@echo "make soak     the stories that are too long for CI"
	@echo "make client   make the typed REST client anew from the schema"
	@echo "make pictures make the pictures of docs/ anew, from a served sample"
	@echo "make reference make docs/reference.md from the code"
	@echo "make coverage-study  how often the audit's intervals hold the truth and its labels are wrong"
	@echo "make tamper-study  one flipped bit of a signed report at a time: who notices (ARGS='--bundle DIR --places 300')"
	@echo "make bench    our engine beside others (ARGS='--datasets adult --seeds 0 --peers flaml'); needs the project's shared folder; or one of these:"
	@echo "              BENCH=held_out_tables: the same on tables nobody tuned on; BENCH=budgets, BENCH=growth: how the engine keeps time and grows; BENCH=shap_speed: attributions; BENCH=interval_speed: intervals"
	@echo "              BENCH=mitigation: what alternatives cost (BENCH=mitigation_halves: without the luck of a split); BENCH=outside_predictions: others' predictions, a million rows"
	@echo "              BENCH=report_times: rendering, signing, verifying; BENCH=load: what people and programs wait for beside a run; BENCH=pages: results of a million rows"

python:
	@$(if $(filter True,$(call is_311,$(PYTHON))),:,echo "$(WRONG_PYTHON)" >&2; exit 1)

install: python
	@$(PYTHON) auditapp/embedded/install.py requirements.txt

install-tests: python
	@$(PYTHON) auditapp/embedded/install.py requirements.txt tests/requirements.txt

run: install
	@exec $(VENV)/bin/python -m auditapp.embedded

test unit stories soak check: install-tests
	@exec $(VENV)/bin/python tests/suite.py $@

bench: install-tests
	@exec $(VENV)/bin/python -m tests.benchmarks.$(or $(BENCH),side_by_side) $(ARGS)

client: install
	@DJANGO_SETTINGS_MODULE=auditapp.settings $(VENV)/bin/python -m auditapp.client.generate

pictures: install-tests
	@exec $(VENV)/bin/python -m tests.pictures

reference: install-tests
	@exec $(VENV)/bin/python -m tests.reference

coverage-study: install-tests
	@exec $(VENV)/bin/python -m tests.benchmarks.coverage_study $(ARGS)

tamper-study: install-tests
	@exec $(VENV)/bin/python -m tests.benchmarks.tamper_study $(ARGS)
