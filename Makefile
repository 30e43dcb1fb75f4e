# Wayvault. `make` or `make help` lists what there is.
#
# A fresh machine needs Python 3.11 or newer and make; everything else is set up by the targets that need it.

.DEFAULT_GOAL := help
SHELL := /bin/sh
PY := .venv/bin/python
UV := .venv/bin/uv
TESTS ?= tests
AGENT ?= maya
# Bytecode is kept: ten processes that compile all modules at each start take longer to start than to do their work.
unexport PYTHONDONTWRITEBYTECODE
# ENGINES, WAYVAULT_STATE and WAYVAULT_PORT_BASE reach the programs from the environment or this command line by themselves.

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make .venv with the locked libraries, and the front-end assets (nothing to do when nothing changed)
	@sh deploy/dev/install
	@$(PY) -m chassis.web.assets
	@$(PY) -m services.vault.frame.build

.PHONY: certificates
certificates: setup ## Make the development certificates and keys (done by make up too)
	@$(PY) -m deploy.dev.certificates

.PHONY: up
up: setup ## Start everything; PHONE=1 adds telephones; ENGINES=real uses the engines of `make engines` (settings: .env, see .env.example)
	@$(PY) -m deploy.dev.run up

.PHONY: down
down: ## Stop everything that make up started
	@test -x $(PY) || { echo "Nothing was set up here yet."; exit 0; }; $(PY) -m deploy.dev.run down

.PHONY: status
status: ## Say how each process is
	@test -x $(PY) || { echo "Nothing was set up here yet: make up."; exit 1; }; $(PY) -m deploy.dev.run status

.PHONY: logs
logs: ## Follow all logs
	@$(PY) -m deploy.dev.run logs

.PHONY: demo-code
demo-code: ## Print a demo agent's authenticator code; AGENT=ada for another than Maya
	@$(PY) -m deploy.dev.run demo-code --agent "$(AGENT)"

.PHONY: demo-large
demo-large: setup ## Add an agency with 100,000 clients and 500,000 payments to the CRM's database, for speed work
	@$(PY) -m deploy.dev.run demo-large

.PHONY: test
test: setup ## Run all tests but chaos and bench; ENGINES=required demands the real engines; TESTS=tests/unit for a part
	@sh deploy/dev/chromium
	@$(PY) -m deploy.dev.certificates
	@$(PY) -m deploy.dev.tests $(TESTS)

.PHONY: chaos
chaos: setup ## Kill -9 every program while it works, a thousand charges among it (about half an hour); TESTS=tests/chaos/bus for a part; CLUSTER=1 takes the leaders of clusters of engines instead
	@TEST_WORKERS=0 $(PY) -m deploy.dev.tests $(if $(filter tests,$(TESTS)),tests/chaos$(if $(CLUSTER),/cluster),$(TESTS)) -v --show-capture=no

.PHONY: coverage
coverage: setup ## Measure which branches of the vault its tests go (fails below the floor), then of the rest, which is only reported
	@$(PY) -m pytest -q tests/unit/vault tests/integration/vault tests/integration/frame tests/integration/engines \
	  tests/contract/transit --ignore=tests/integration/vault/phone/test_proof.py --cov
	@COVERAGE_FILE=.coverage-rest $(PY) -m pytest -q tests/unit tests/contract -n auto \
	  --cov=chassis --cov=services/crm --cov=services/portal --cov=services/notifier --cov-fail-under=0

.PHONY: screens
screens: setup ## Take the README's pictures anew
	@sh deploy/dev/chromium
	@$(PY) -m deploy.dev.certificates
	@ALBUM=screens ENGINES= $(PY) -m pytest -q tests/e2e/test_pages.py -k embedded
	@$(PY) -m deploy.dev.screens

.PHONY: album
album: setup ## Photograph every page at seven sizes, light and dark, for the eye (half an hour or more)
	@sh deploy/dev/chromium
	@$(PY) -m deploy.dev.certificates
	@$(PY) -m tests.e2e.whole_album

.PHONY: guide-pictures
guide-pictures: setup ## Take the training guides' pictures anew, on a demo of their own
	@E2E=all ENGINES= $(PY) -m pytest -q tests/e2e/test_guides.py -k embedded
	@$(PY) -m deploy.dev.screens guides

.PHONY: format
format: setup ## Put imports in order and lines in shape, as make lint wants them
	@$(PY) -m ruff check --quiet --select I --fix .
	@$(PY) -m ruff format --quiet .

.PHONY: lint
lint: setup ## ruff, mypy --strict, import contracts, unused code
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PY) -m deploy.dev.unused

.PHONY: protos
protos: setup ## Generate the Python code of protos/ anew
	@$(PY) -m deploy.dev.protos

.PHONY: env-example
env-example: setup ## Write the end of .env.example anew from the settings' classes
	@$(PY) -m deploy.env_example

.PHONY: lock
lock: setup ## Resolve requirements/*.txt from pyproject.toml, keeping the versions there; UPGRADE=1 takes newer ones
	@UV="$(UV)" sh deploy/dev/lock

.PHONY: demo-call
demo-call: ## Play a telephone call to the running stack (make up PHONE=1), so that the panel of a phone payment fills
	@$(PY) -m deploy.phone.demo_call

.PHONY: phone-check
phone-check: setup ## Make a test call through the running stack (make up PHONE=1); ends with 1 when sound does not come through
	@$(PY) -m deploy.phone.check

.PHONY: phone-proof
phone-proof: setup ## Play 540 calls through the masker by a clock of their own, let two judges listen, print JSON
	@$(PY) -m tests.proof.phone

.PHONY: bench
bench: setup ## Measure, print JSON
	@$(PY) -m tests.bench

.PHONY: bench-lists
bench-lists: setup ## Measure the CRM's list pages over 100,000 clients and 500,000 payments (makes them first), print JSON
	@$(PY) -m tests.bench.lists

.PHONY: engines
engines: setup ## Start and set up real PostgreSQL, RabbitMQ and HashiCorp Vault on this machine
	@$(PY) -m deploy.dev.engines start

.PHONY: engines-down
engines-down: ## Stop the real engines
	@$(PY) -m deploy.dev.engines stop

.PHONY: backup
backup: setup ## Make a sealed backup of everything (first: python -m deploy.backup key --identity FILE)
	@$(PY) -m deploy.backup run

.PHONY: backup-drill
backup-drill: setup ## Prove that the newest backup works; IDENTITY=file that opens it
	@$(PY) -m deploy.backup drill $(if $(IDENTITY),--identity "$(IDENTITY)")

.PHONY: images
images: setup ## Build the container images of deploy/Containerfile; ENGINES=1 adds PostgreSQL, RabbitMQ and HashiCorp Vault
	@$(PY) -m deploy.images $(if $(ENGINES),--engines)

.PHONY: compose-up
compose-up: setup ## Start everything in containers (deploy/compose.yaml) with the demo agency; builds missing images
	@$(PY) -m deploy.compose up --demo

.PHONY: compose-down
compose-down: setup ## Stop the containers; their data stays
	@$(PY) -m deploy.compose down

.PHONY: install
install: setup ## Install Wayvault for a real agency on this machine: asks, checks, starts it in containers, prints the admin's link; OPTIONS=--check only looks
	@$(PY) -m deploy.install $(OPTIONS)

.PHONY: compose-test
compose-test: setup ## Walk the main job over the containers by https and try every forbidden connection
	@sh deploy/dev/chromium
	@$(PY) -m pytest -q tests/compose --ignore=tests/compose/bare

.PHONY: bare-test
bare-test: setup ## Type the runbook's first day on a bare Debian in a container: packages, libraries, images, everything anew (half an hour)
	@sh deploy/dev/chromium
	@$(PY) -m pytest -q -s tests/compose/bare

.PHONY: upgrade-test
upgrade-test: setup ## Run the last release and this version side by side on one database and bus, and go back (5 minutes)
	@$(PY) -m pytest -q tests/upgrade

.PHONY: clean
clean: ## Stop everything and remove all state and what was built; keeps .venv
	@if test -x $(PY); then $(PY) -m deploy.dev.run down && $(PY) -m deploy.dev.engines stop; fi
	@if test -L var/engines/home; then rm -rf "$$(readlink var/engines/home)"; fi
	@rm -rf var artifacts build node_modules chassis/web/static/vendor services/vault/frame/static/dist
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
