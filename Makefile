# make run | test | lint | bench | clean | setup. Every target sets up what it needs first; nothing else is required.

SHELL := /bin/bash
PYTHON := .venv/bin/python
PACKAGES := api calls cli config ivr jobs queueing rehearsal sessions telephony workorders

# A run starts hundreds of processes: what one has compiled the others read, also where the environment is against it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test pytest lint sounds bench clean setup setup-dev

run: setup
	@exec .venv/bin/hotline up

setup:
	@scripts/setup.sh run

setup-dev:
	@scripts/setup.sh dev

lint: setup-dev
	@echo "== ruff"
	@$(PYTHON) -m ruff check .
	@echo "== types"
	@$(PYTHON) -m mypy $(PACKAGES) $(wildcard migrations tests bench)
	@echo "== import contracts"
	@.venv/bin/lint-imports --no-logo 2>/dev/null || .venv/bin/lint-imports

# Seven files of tests at a time: those with real servers and calls mostly wait for people who speak. Each test has servers,
# folders and ports of its own; what all of them hear is made once, beforehand. What failed beside others is asked again
# alone, by name, and has to pass there (docs/adr/0033); nothing is asked a third time.
test: setup-dev
	@$(MAKE) --no-print-directory -j2 lint pytest

pytest: sounds
	@$(PYTHON) -m compileall -q $(PACKAGES) migrations tests
	@echo "== tests"
	@$(PYTHON) -m pytest -n 7 --dist loadfile --no-loadscope-reorder --durations=25 tests || { [ $$? = 1 ] && \
	  echo "== what failed beside others, alone" && $(PYTHON) -m pytest --last-failed --last-failed-no-failures none -v tests; }

sounds: setup-dev
	@echo "== what can be heard"
	@HOTLINE_STATE_DIR=.hotline/tests $(PYTHON) -m telephony.sounds

bench: setup-dev
	@QUICK=$(QUICK) $(PYTHON) -m bench

# Everything that was made here, except the state of a running instance (.hotline holds recordings and orders).
clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -not -path './.hotline/*' -prune -exec rm -rf {} +
	@echo "kept: .hotline (data, recordings, unpacked programs); delete it by hand if it may go"
