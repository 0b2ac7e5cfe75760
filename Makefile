# tinyrt: `make demo` shows the whole line at work, `make test` runs everything that CI runs.
#
# Both need Python >= 3.11, gcc, make and access to package registries, and set up the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
CLOCK ?= wall

# The cross toolchains and emulators, as Debian and Ubuntu name them.
ARM_PACKAGES := gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm
ALL_PACKAGES := $(ARM_PACKAGES) gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf \
    qemu-system-misc clang libclang-rt-dev cmake

.PHONY: demo test test-all lint bench bench-quick bench-mcu arm-tools all-tools clean

demo: $(VENV)/.demo arm-tools
	@$(BIN)/python models/demo.py

test: $(VENV)/.test all-tools lint
	$(PYTEST) -n $(WORKERS) -m "not slow" tests

test-all: $(VENV)/.test all-tools lint
	$(PYTEST) -n $(WORKERS) tests

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The fast path against its peers, a few minutes; `make bench COMPARE=FILE` says what changed,
# `make bench CLOCK=cpu` leaves out the waiting for a processor on a busy machine.
bench: $(VENV)/.bench
	$(PYTEST) benchmarks --benchmark-quiet --results benchmarks/results/python.json \
	    --chart docs/bench.svg --clock $(CLOCK) $(if $(COMPARE),--compare $(COMPARE))

bench-quick: $(VENV)/.bench
	$(PYTEST) benchmarks --benchmark-quiet --quick --results build/bench.json \
	    --chart build/bench.svg

# Instructions of the emitted C on Cortex-M, a minute or two; the same in every run, so that its
# results are kept in the tree, and a test holds the code to them. COMPARE=FILE as above.
bench-mcu: $(VENV)/.bench arm-tools
	$(BIN)/python -m benchmarks.mcu --results benchmarks/results/mcu.json \
	    $(if $(COMPARE),--compare $(COMPARE))

arm-tools:
	@tests/install.sh arm-none-eabi-gcc qemu-system-arm -- $(ARM_PACKAGES) || true

all-tools:
	@tests/install.sh arm-none-eabi-gcc qemu-system-arm riscv64-unknown-elf-gcc \
	    qemu-system-riscv32 clang+sanitizers cmake -- $(ALL_PACKAGES)

$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { tests/install.sh --always -- python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	@touch $@ $(VENV)/.demo

$(VENV)/.bench: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
