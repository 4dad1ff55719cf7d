# One command each; all of them install what they need into .venv first.
PYTHON ?= python3
BIN := .venv/bin
TICKS ?=
SPEED ?=
RECORDING ?=
DATA ?=
# One more than a small machine has cores: many tests wait for processes and sockets.
WORKERS ?= 3

# The suites start some three hundred Pythons: what one has compiled, the next one need not.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-web check coverage torture bench bench-web screenshots lock docs cassettes vendor dist clean

help: ## what each command does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/installed: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "spelar needs Python 3.11 or newer; this is " + sys.version.split()[0] + " (try: make PYTHON=python3.12 ...)" or 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: .venv/installed vendor ## paper trading against simulated venues, with the portal (TICKS=60 SPEED=30 RECORDING=file)
	$(BIN)/spelar demo $(if $(TICKS),--ticks $(TICKS)) $(if $(SPEED),--speed $(SPEED)) $(if $(RECORDING),--recording $(RECORDING))

test: .venv/installed vendor ## the fast tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-slow: .venv/installed vendor ## the long simulations, crash loops and many processes
	$(BIN)/python -m pytest -m slow -n $(WORKERS) --dist worksteal

test-web: .venv/installed vendor ## the portal in a real chromium (Debian: apt install chromium)
	$(BIN)/python -m pytest -m browser -n $(WORKERS) --dist worksteal tests/web

check: .venv/installed vendor ## lint, format, strict types (also of the portal's scripts), architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if [ -d node_modules/typescript ]; then $(BIN)/python -m scripts.npm run --silent check; else echo 'skipped: types and lint of web/app (no node_modules)'; fi
	$(BIN)/python -m pytest tests/test_architecture.py

coverage: .venv/installed ## every branch of the core and of the ledger has its test
	$(BIN)/python -m coverage run -m pytest -p no:xdist -m "not browser" tests/domain tests/adapters/test_sqlite_ledger.py \
		tests/adapters/test_ledger_copies.py tests/adapters/test_broker_exam.py tests/entrypoints/test_agent.py \
		tests/entrypoints/test_ledger_command.py tests/entrypoints/test_disks.py
	$(BIN)/python -m coverage report

torture: .venv/installed ## the full figures of what tries to break the agent: kills, power cuts, lies, fuzz (an hour)
	$(BIN)/python -m tests.torture.ledger --full
	$(BIN)/python -m tests.torture.lies --full
	$(BIN)/python -m tests.torture.payloads --full
	$(BIN)/python -m tests.torture.model --full
	$(BIN)/python -m tests.torture.broker --full

bench: .venv/installed ## a live tick and what recording adds to it; with DATA=dir (of the kit's gen.py) replays and a sweep of that
	$(BIN)/python -m tests.benchmarks.live_tick
	$(BIN)/python -m tests.benchmarks.recording
	$(if $(DATA),$(BIN)/python -m tests.benchmarks.replay --data $(DATA))
	$(if $(DATA),$(BIN)/python -m tests.benchmarks.replay --data $(DATA) --n 50000 --unscreened)
	$(if $(DATA),$(BIN)/python -m tests.benchmarks.sweep --data $(DATA))

bench-web: .venv/installed vendor ## the portal's targets, measured in chromium
	$(BIN)/python -m tests.benchmarks.portal_page

screenshots: .venv/installed vendor ## docs/screenshots/: the portal's main routes
	$(BIN)/python -m tests.benchmarks.screenshots

vendor: .venv/installed ## web/vendor/: the portal's charts and CSV reader, from the npm registry by lock file
	@$(BIN)/python -m scripts.vendor

dist: .venv/installed vendor ## dist/: the wheel and the sdist, the same bytes from the same files
	$(BIN)/python -m hatchling build

docs: .venv/installed ## write the generated tables of ARCHITECTURE.md, README.md, docs/ and the example env file anew
	$(BIN)/python -m tests.documents
	$(BIN)/python -m tests.guides

cassettes: .venv/installed ## record the adapters' cassettes again (LIVE=1: from the real venues)
	$(BIN)/python -m tests.adapters.record_cassettes $(if $(LIVE),--live)

lock: .venv/installed ## resolve the dependencies anew
	$(PYTHON) -m venv .venv/uv && .venv/uv/bin/python -m pip install --quiet uv
	.venv/uv/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 --no-header pyproject.toml -o requirements.lock
	.venv/uv/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 --no-header --extra dev pyproject.toml -o requirements-dev.lock
	echo hatchling | .venv/uv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header -c requirements-dev.lock - -o requirements-build.lock

clean: ## remove what was installed and written
	rm -rf .venv dist var web/data web/vendor node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
