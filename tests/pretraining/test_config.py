import json
from pathlib import Path

import pytest

from spacy_elmo_ner.pretraining.config import PretrainingConfig

ROOT = Path(__file__).parents[2]

BILM = """
[bilm]
[bilm.lstm]
dim = 8
projection_dim = 4
[bilm.char_cnn]
filters = [[1, 4]]
n_highway = 1
[bilm.char_cnn.embedding]
dim = 4
"""


def _read(tmp_path: Path, text: str | bytes) -> PretrainingConfig:
    path = tmp_path / "run.cfg"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return PretrainingConfig.from_cfg(path)


def test_the_config_of_small_en_reads() -> None:
    config = PretrainingConfig.from_cfg(ROOT / "configs" / "pretrain-small-en.cfg")
    assert config.text.paths[0].endswith("/wikinews.txt.xz") and len(config.text.paths) == 12
    assert config.options.width == 256
    assert config.training.softmax_cutoffs == (800, 5000, 20000)


def test_what_is_not_set_has_its_default(tmp_path: Path) -> None:
    config = _read(tmp_path, '[text]\npaths = ["a.txt"]\n[training]\nlearning_rate = 1\n')
    assert config.text.paths == ("a.txt",)
    assert config.training.learning_rate == 1.0 and type(config.training.learning_rate) is float
    assert config == PretrainingConfig(config.text, config.training)
    assert _read(tmp_path, "") == PretrainingConfig()


def test_a_biLM_of_its_own_shape_is_read(tmp_path: Path) -> None:
    options = _read(tmp_path, BILM).options
    assert (options.width, options.lstm.dim, options.lstm.cell_clip) == (8, 8, None)


def test_running_text_is_asked_for_by_name_and_told_to_checkpoints(tmp_path: Path) -> None:
    config = _read(tmp_path, '[training]\nstate = "running"\n')
    assert config.training.state == config.to_dict()["training"]["state"] == "running"
    # Checkpoints from before there was this setting hold the others alone.
    assert "state" not in PretrainingConfig().to_dict()["training"]


def test_a_config_goes_through_json_for_checkpoints() -> None:
    data = json.loads(json.dumps(PretrainingConfig().to_dict()))
    assert data["training"]["softmax_cutoffs"] == [800, 5000, 20000]
    assert data["bilm"]["lstm"]["dim"] == 512


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"\x89PNG\xff", "codec"),
        ("text", "section headers"),
        ("[text", "section headers"),
        ("[text]\n[text]\n", "already exists"),
        ("[text]\nn_held_out = 1\nn_held_out = 2\n", "already exists"),
        ("[text]\npaths = ${paths.corpus}\n", "paths.corpus"),
        ("[txt]\n", r"unknown block \[txt\]"),
        ("[text]\nn_heldout = 3\n", r"\[text\] has no setting 'n_heldout'; it has paths"),
        ("[training]\nlr = 3\n", r"\[training\] has no setting 'lr'"),
        ('[text]\npaths = "a.txt"\n', r"paths is 'a.txt', not of type list"),
        ("[text]\npaths = [1]\n", "paths holds 1, which is no text"),
        ("[text]\nn_vocabulary = 4\n", "n_vocabulary is 4, not 5 or more"),
        ("[text]\nn_held_out = -1\n", "n_held_out is -1"),
        ("[training]\nbatch_tokens = 0\n", "batch_tokens is 0, not 1 or more"),
        ("[training]\nbatch_tokens = 1.5\n", "batch_tokens is 1.5, not of type int"),
        ("[training]\nbf16 = 1\n", "bf16 is 1, not of type bool"),
        ("[training]\nmax_epochs = true\n", "max_epochs is True, not of type int"),
        ("[training]\nlearning_rate = NaN\n", "learning_rate is '?(nan|NaN)"),
        ("[training]\nlearning_rate = -1\n", "learning_rate is -1"),
        ("[training]\nevaluate_every = 0\n", "evaluate_every is 0"),
        ("[training]\ncheckpoint_every = 0\n", "checkpoint_every is 0"),
        ("[training]\nkeep_checkpoints = 0\n", "keep_checkpoints is 0"),
        ("[training]\nseed = -1\n", "seed is -1"),
        ('[training]\nstate = "document"\n', "state is 'document', not one of sentence, running"),
        ("[training]\nsoftmax_cutoffs = [5, 5]\n", "softmax_cutoffs is .*rising"),
        ("[training]\nsoftmax_cutoffs = [0]\n", "softmax_cutoffs is .*rising"),
        ('[training]\nsoftmax_cutoffs = ["a"]\n', "softmax_cutoffs is .*rising"),
        (BILM.replace("n_highway", "n_highways"), r"\[bilm.char_cnn\] has no setting 'n_highways'"),
    ],
)
def test_a_wrong_config_is_named_with_block_and_key(
    tmp_path: Path, text: str | bytes, problem: str
) -> None:
    with pytest.raises(ValueError, match=rf"(?s)EL405.*run\.cfg.*{problem}"):
        _read(tmp_path, text)


def test_a_wrong_shape_is_named_with_the_config(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"EL002.*run\.cfg \[bilm\].*lstm\.dim is 0"):
        _read(tmp_path, BILM.replace("dim = 8", "dim = 0"))
    with pytest.raises(ValueError, match=r"EL001.*run\.cfg \[bilm\].*lstm\.projection_dim"):
        _read(tmp_path, BILM.replace("projection_dim = 4\n", ""))


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"EL401.*run\.cfg"):
        PretrainingConfig.from_cfg(tmp_path / "run.cfg")


def test_less_text_is_read_more_often_with_fewer_words_to_predict(tmp_path: Path) -> None:
    small, large = tmp_path / "small.txt", tmp_path / "large.txt"
    small.write_bytes(b"x" * 30_000)
    large.write_bytes(b"")
    with large.open("r+b") as file:
        file.truncate(60_000_000)  # ten million words by size, and no bytes on disk
    few = PretrainingConfig.for_text([small])
    many = PretrainingConfig.for_text([large, small])
    assert (few.training.max_epochs, few.text.n_vocabulary) == (10, 1_000)
    assert (many.training.max_epochs, many.text.n_vocabulary) == (1, 60_000)
    assert few.training.batch_tokens < many.training.batch_tokens == 4096
    assert few.text.paths == (str(small),)
    assert PretrainingConfig.for_text([small]) == few
    with pytest.raises(FileNotFoundError, match=r"EL401.*none\.txt"):
        PretrainingConfig.for_text([small, tmp_path / "none.txt"])


def test_packed_text_counts_for_what_it_unpacks_to(tmp_path: Path) -> None:
    for name in ("a.txt", "a.txt.xz"):
        (tmp_path / name).write_bytes(b"x" * 1_200_000)
    plain, packed = (
        PretrainingConfig.for_text([tmp_path / name]) for name in ("a.txt", "a.txt.xz")
    )
    assert packed.text.n_vocabulary == 3 * plain.text.n_vocabulary


@pytest.mark.parametrize("block", ["text", "training", "silver"])
def test_a_setting_can_be_given_for_a_block_that_is_not_there(tmp_path: Path, block: str) -> None:
    others = {"text": "lang", "training": "state", "silver": "pipeline"}
    values = {"text": "de", "training": "running", "silver": "en_core_web_sm"}
    path = tmp_path / "run.cfg"
    path.write_text("".join(f"[{name}]\n" for name in others if name != block))
    config = PretrainingConfig.from_cfg(path, {f"{block}.{others[block]}": values[block]})
    assert getattr(getattr(config, block), others[block]) == values[block]
