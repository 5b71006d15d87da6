# make demo    set everything up and run the main job once
# make test    set everything up and run the tests
# make help    every target

# The first of these that is 3.11 to 3.13; another can be given: make PYTHON=/usr/bin/python3.12
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo "$$python"; break; }; done)
PORT ?= 8000
SECONDS ?= 300
INJECTIONS ?= 200
PIP_AUDIT := 2.10.1
VENV := $(CURDIR)/.venv

export PORT
export PATH := $(VENV)/bin:$(PATH)
unexport PYTHONHOME PYTHONPATH

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz soak test-faults lint audit clients services up reset stop status clean

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: services ## set everything up, run the main job once, show the reports
	@python tools/demo.py

test: services lint clients ## set everything up, check style and types, run all tests
	@pytest

fuzz: services ## send altered requests to the running stack (SECONDS=300, FUZZ_SEED=number)
	@FUZZ_SECONDS=$(SECONDS) pytest -s tests/integration/test_fuzzing.py

soak: services ## run the whole stack under load and account for every request (SECONDS=1800, RATE=200)
	@python bench/soak.py --seconds $(if $(filter file,$(origin SECONDS)),1800,$(SECONDS)) --rate $(or $(RATE),0)

test-faults: services ## kill, stop, cut off and fill up everything at random, count what is lost (INJECTIONS=200, SEED=number)
	@python tests/faults --injections $(INJECTIONS) $(if $(SEED),--seed $(SEED)) --write

lint: $(VENV)/stamp ## check style, formatting and types
	@ruff check
	@ruff format --check
	@mypy

audit: $(VENV)/stamp ## compare the pinned packages with published advisories (needs pypi.org itself, no mirror)
	@python -m venv --clear .local/audit && .local/audit/bin/pip install --quiet pip-audit==$(PIP_AUDIT)
	@.local/audit/bin/pip-audit --strict --progress-spinner off --requirement requirements.txt --requirement requirements-dev.txt

clients: $(VENV)/stamp ## install the clients of Matomo that the tests run: npm packages, Chromium
	@python tools/clients.py

services: $(VENV)/stamp ## start the private MariaDB and Redis, write .local/env
	@python tools/services.py start

up: services ## run the processes of the Procfile in the foreground (PORT=8000)
	@python tools/up.py

reset: services ## empty database, queue and spool
	@footfall reset --yes

stop: $(VENV)/stamp ## stop the private MariaDB and Redis
	@python tools/services.py stop

status: $(VENV)/stamp ## say which of the private servers run
	@python tools/services.py status

clean: stop ## stop the private servers, remove .venv, node_modules and everything in .local
	rm -rf .local .venv tests/clients/node_modules

$(VENV)/stamp: requirements.txt requirements-dev.txt pyproject.toml tools/venv.py
	@test -n "$(PYTHON)" || { echo "Footfall needs Python 3.11 to 3.13 (Debian: apt install python3), none was found." >&2; exit 1; }
	@"$(PYTHON)" tools/venv.py
	@touch $@
