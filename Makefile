# What there is: make setup demo test test-hosts test-slow check fmt docs bench bench-match bench-player bench-audio bench-credit bench-replay study-replay bench-jam bench-desk bench-influence study-influence soak constraints clean
# Each sets everything up first; SEED=8 gives demo and bench another seed.

PYTHON ?= python3
SEED ?= 7
BIN := .venv/bin
READY := .venv/.ready
TORCH := 2.13.0

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-hosts test-slow check fmt docs bench bench-match bench-player bench-audio bench-credit bench-replay study-replay bench-jam bench-desk bench-influence study-influence soak axe constraints clean

help:
	@sed -n '1,2s/^# //p' Makefile

setup: $(READY)

# Pinned and hashed, but for torch: its file differs from place to place (a CPU build, CUDA
# builds with gigabytes of libraries), so a hash that is right here is wrong there.
$(READY): constraints.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "musai needs Python 3.11 or later")'
	@echo "Setting up .venv (once; most of it downloads)"
	@$(BIN)/python -m pip install -q --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install -q "torch==$(TORCH)"
	@$(BIN)/python -m pip install -q --no-deps -e .
	@touch $(READY)

demo: setup
	@$(BIN)/musai demo --seed $(SEED)

test: setup
	$(BIN)/pytest -n 2 -m "not host and not slow"

# Drives real programs: a browser, Pd, Ardour, JACK, liblo's tools.  Installs nothing; a skipped test says what
# is missing.  Where CI=true, a skipped test fails.
test-hosts: setup
	$(BIN)/pytest -m host -rs

test-slow: setup
	$(BIN)/pytest -m slow --timeout 3600

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.make_docs --check

fmt: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup
	$(BIN)/python -m scripts.make_docs

bench: setup
	@$(BIN)/python -m tests.bench.main --seed $(SEED)

# Needs real music beside the checkout: ../shared/data.
bench-match: setup
	@$(BIN)/python -m tests.bench.bench_match --seed $(SEED)

# Needs real music beside the checkout: ../shared/data.  Two minutes.
bench-credit: setup
	@$(BIN)/python -m tests.bench.bench_credit --seed $(SEED)

# Phrases replayed in other processes and under other arithmetic; the study is the long one and resumes where it was cut short.
bench-replay: setup
	@$(BIN)/python -m tests.bench.bench_replay --seed $(SEED)

study-replay: setup
	@$(BIN)/python -m tests.bench.bench_replay --seed $(SEED) --study

# The player beside its peers, which it installs into .clean/peers; the guard's part needs ../shared/data.
bench-player: setup
	@$(BIN)/python -m tests.bench.bench_player --seed $(SEED)

# Sung prompts.  Needs ../shared/data, fluidsynth and a soundfont.
bench-audio: setup
	@$(BIN)/python -m tests.bench.bench_audio --seed $(SEED)

# Real programs: jackd and python-rtmidi; notochord and midigpt in .clean/peers, where they can be had.  Twenty
# minutes once those are installed; keep the machine quiet meanwhile.
bench-jam: setup
	@$(BIN)/python -m tests.bench.bench_jam --seed $(SEED)

soak: setup
	@$(BIN)/python -m tests.bench.soak

# The desk in a browser, on real music; axe-core lies where git passes over it.
AXE := .clean/axe/node_modules/axe-core/axe.min.js

axe: $(AXE)

$(AXE):
	npm install --silent --no-save --no-audit --no-fund --prefix .clean/axe axe-core@4

bench-desk: setup axe
	@$(BIN)/python -m tests.bench.bench_desk --seed $(SEED)

# Trains a small model over a hundred times; the study takes hours and goes on where it was killed.
bench-influence: setup
	@$(BIN)/python -m tests.bench.bench_influence --seed $(SEED)

study-influence: setup
	@$(BIN)/python -m tests.bench.bench_influence --seed $(SEED) --study

# Pins anew what pyproject.toml asks for.  pip-tools lives in a place of its own.
PIN := .clean/pins/bin/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --upgrade

constraints:
	$(PYTHON) -m venv .clean/pins
	.clean/pins/bin/pip install -q pip-tools
	$(PYTHON) scripts/constraint_inputs.py --core dev daw audio > .clean/constraints.in
	CUSTOM_COMPILE_COMMAND="make constraints" $(PIN) -o constraints.txt .clean/constraints.in

clean:
	rm -rf .clean dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis
