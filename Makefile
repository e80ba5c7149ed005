# Two commands are all a newcomer needs: `make run` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Where pip looks for torch alone, for example https://download.pytorch.org/whl/cpu (see README).
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run install install-dev test quality crash-test load-test fuzz screenshots clean

run: $(VENV)/.installed
	@$(BIN)/python bot.py run

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

# The figures that may not fall; needs the public data sets, see README.
quality: $(VENV)/.installed-dev
	$(BIN)/python -m tests.quality.gate

# Kills real processes 200 times at random moments; takes about a quarter of an hour.
crash-test: $(VENV)/.installed-dev
	$(BIN)/python -m tests.e2e.crash --kills 200

# 200 questions at once from 20 servers, against the bot on a Discord of its own on this machine.
load-test: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/discord_load.py

# Changes pages, feeds, answers and addresses at random for ten minutes; see tests/fuzz.
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz --seconds 600

# Draws the bot's screens into docs/img; needs the system's Chromium, see docs/discord.md.
screenshots: $(VENV)/.installed-dev
	$(BIN)/python -m tests.simulated.screenshots

$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || \
		{ echo "Pullquote needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing into $(VENV), which takes a few minutes the first time." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
ifneq ($(TORCH_INDEX),)
	@$(BIN)/pip install --quiet --index-url $(TORCH_INDEX) "$$(grep '^torch==' requirements.txt)" >&2
endif
	@$(BIN)/pip install --quiet -r requirements.txt >&2
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@$(BIN)/pip install --quiet -r requirements-dev.txt >&2
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
