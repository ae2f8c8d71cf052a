# Two commands do everything: `make run` sets up and runs the main job, `make test` sets up and
# runs the tests.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test lint bench clean

run: $(VENV)/.installed
	$(BIN)/python -m spacy project run all

test: $(VENV)/.installed lint
	$(BIN)/python -m pytest -q --cov=spacy_elmo_ner --cov-report=term --cov-fail-under=90

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy spacy_elmo_ner

# Entry points are read at installation, so a changed setup.cfg installs again.
$(VENV)/.installed: setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[project,dev,browser]"
	touch $@

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache corpus training metrics packages
