# What a machine needs besides Swift: the libraries' headers, and a PostgreSQL server for rehearsals and tests.
PACKAGES = libsqlite3-dev libpq-dev libncursesw5-dev zlib1g-dev pkg-config postgresql sqlite3 tmux
# What the tests need besides: a browser that opens the report, and what reads the files for alerting.
TEST_PACKAGES = chromium prometheus prometheus-postgres-exporter
PREFIX ?= /usr/local
DEMO ?= demo
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: all deps test-deps build demo test faults lint format bench bench-quick install clean

all: build

## deps: installs the Debian packages that are missing; elsewhere says what is missing
deps:
	@if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then \
	  missing=; \
	  for package in $(PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q '^install ok installed' || missing="$$missing $$package"; \
	  done; \
	  if [ -n "$$missing" ]; then \
	    echo "installing:$$missing"; \
	    $(SUDO) apt-get update -qq && \
	      $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	  fi; \
	else \
	  for tool in pkg-config sqlite3 psql initdb tmux; do \
	    command -v $$tool >/dev/null || echo "missing: $$tool"; \
	  done; \
	  for library in sqlite3 libpq ncursesw zlib; do \
	    pkg-config --exists $$library 2>/dev/null || echo "missing: the headers of $$library"; \
	  done; \
	fi

## build: the program, in .build/release/howdah
build: deps
	swift build -c release --product howdah

## demo: makes a chat application on SQLite in $(DEMO), and rehearses its migration
demo: build
	.build/release/howdah demo $(DEMO)

## test-deps: installs what the tests need besides
test-deps:
	@$(MAKE) --no-print-directory deps PACKAGES="$(PACKAGES) $(TEST_PACKAGES)"

## test: everything, against a private PostgreSQL that the tests start themselves; what failed is said again at the end
test: test-deps lint
	swift build --build-tests
	@log=$$(mktemp) && trap 'rm -f "$$log"' EXIT && \
	{ swift test --skip-build --parallel 2>&1 || printf '\nmake: the tests failed\n'; } | tee "$$log" && \
	if grep -aq '^make: the tests failed$$' "$$log"; then \
	  echo "What failed, once more:"; grep -a 'recorded an issue\|error:' "$$log"; exit 1; \
	fi

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

format:
	swift format --in-place --recursive Package.swift Sources Tests

## faults: kills howdah, its connections and the server at FAULTS random moments, and proves every end; FAULT_SEED repeats a run
faults: build
	swift build --build-tests
	HOWDAH=$(CURDIR)/.build/release/howdah FAULTS=$${FAULTS:-120} swift test --skip-build --filter FaultTests

## bench: everything that has a limit, beside the databases' own tools and the peers that are installed, into
## benchmarks/results.md; a quarter of an hour or more, and up to 15 GB of disk
bench: build
	benchmarks/run

## bench-quick: the same with few messages and without peers, in two minutes, into benchmarks/quick.md
bench-quick: build
	benchmarks/run --quick

install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	install .build/release/howdah $(DESTDIR)$(PREFIX)/bin/howdah

clean:
	swift package clean
