# Two commands do everything: `make demo` and `make test`. Both set up what is missing first.

# One scratch path outside the checkout and one set of flags for demo, test and CI: with two,
# everything would be built twice. A debug build of the numeric code is unusably slow.
SCRATCH ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/martlet/build
FLAGS   := -c release -Xswiftc -enable-testing --scratch-path $(SCRATCH) \
           --explicit-target-dependency-import-check error
MODEL   := Models/demo-mixtral-q8_0.gguf

.PHONY: demo test acceptance build check format bench experiments setup clean compile

# Fly a base station and four devices on this machine, and shoot one down.
demo: compile
	@"$$(swift build $(FLAGS) --show-bin-path)/martlet" demo --model $(MODEL)

# Run all tests.
test: setup
	swift build --build-tests $(FLAGS)
	swift test --skip-build $(FLAGS) --disable-xctest

# Build the binary and print its path.
build: compile
	@echo "$$(swift build $(FLAGS) --show-bin-path)/martlet"

compile: setup
	swift build --product martlet $(FLAGS) >&2

# What a reviewer checks: formatting, warnings as errors, tests.
check: setup
	swift format lint --strict --recursive Sources Tests Package.swift
	$(MAKE) test

# Rewrite the sources as the formatter wants them.
format:
	swift format --in-place --recursive Sources Tests Package.swift

# What the hop costs on this machine.
bench: compile
	@"$$(swift build $(FLAGS) --show-bin-path)/martlet" bench hop

# Every figure of docs/experiments again: CSV and SVG. DATA is a folder of texts.
experiments: experiment-latency experiment-quality experiment-bound experiment-allocation \
    experiment-decoding experiment-cells experiment-energy experiment-caching

# One of them: the file of that name in Experiments.
experiment-%: compile
	@test -n "$(DATA)" || { echo "experiments: DATA=folder of .txt files is needed" >&2; exit 1; }
	@test -x $(SCRATCH)/venv/bin/python || python3 -m venv $(SCRATCH)/venv
	@$(SCRATCH)/venv/bin/pip install -q matplotlib
	$(SCRATCH)/venv/bin/python Experiments/$*.py --model $(MODEL) --data $(DATA) \
	    --martlet "$$(swift build $(FLAGS) --show-bin-path)/martlet" \
	    $(if $(WINDOWS),--windows $(WINDOWS))

# Let real clients talk to servers; fetches them from PyPI. PARTS chooses, as "openai dashboard".
acceptance: compile
	@Acceptance/run.sh "$$(swift build $(FLAGS) --show-bin-path)/martlet" $(MODEL) $(PARTS)

# Install what a fresh machine lacks; says nothing where nothing is missing.
setup:
	@Scripts/setup.sh

clean:
	rm -rf $(SCRATCH)
