"""Every reader of files from outside, what it is fed, and whole files to start from.

A reader keeps its promise if any input gives a value, or a ValueError or FileNotFoundError whose
message has one of our codes.
"""

import gzip
import io
import json
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import spacy
import torch
from spacy.tokens import Doc, DocBin
from torch import nn

from spacy_elmo_ner.audit.output import Audit, read_audit
from spacy_elmo_ner.audit.output import write as write_audit
from spacy_elmo_ner.audit.rows import AuditRow
from spacy_elmo_ner.comparison.label_maps import LabelMap
from spacy_elmo_ner.comparison.results import read_results
from spacy_elmo_ner.comparison.texts import Text, Texts, read_texts
from spacy_elmo_ner.corpus.gmb import read_gmb
from spacy_elmo_ner.corpus.sample import read_conll
from spacy_elmo_ner.elmo import BiLM, BiLMOptions
from spacy_elmo_ner.pretraining.checkpoint import Progress, load_checkpoint, save_checkpoint
from spacy_elmo_ner.pretraining.config import PretrainingConfig
from spacy_elmo_ner.pretraining.files import read_json_lines, read_lines, read_sentences
from spacy_elmo_ner.pretraining.objective import SPECIAL, LanguageModel, Vocabulary
from spacy_elmo_ner.pretraining.perplexity import load_language_model
from spacy_elmo_ner.pretraining.text import TokenizedText, tokenize
from spacy_elmo_ner.pretraining.train import write_language_model
from tests.conftest import random_bilm

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"\[EL\d{3}\] ")


@dataclass(frozen=True)
class Target:
    """read: the reader, given one input. seeds: whole inputs. words: what its format is made of.

    places: of a seed, the offsets worth changing; all of them if none are given.
    """

    read: Callable[[bytes], object]
    seeds: Sequence[bytes]
    words: Sequence[bytes] = ()
    places: dict[int, Sequence[int]] = field(default_factory=dict)


def outcome(target: Target, data: bytes) -> str:
    """ "value", or the code of the error. Anything else the reader raises goes up."""
    try:
        target.read(data)
    except (ValueError, FileNotFoundError) as err:
        found = CODE.match(str(err))
        if found is None:
            raise
        return found[0].strip("[] ")
    return "value"


def make_targets(folder: Path) -> dict[str, Callable[[], Target]]:
    """Targets by name, each made when it is called; folder: where inputs are put as files."""
    return {
        "options": lambda: _options(folder),
        "hdf5": lambda: _hdf5(folder),
        "safetensors": _safetensors,
        "csv": lambda: _gmb(folder, ""),
        "csv.xz": lambda: _gmb(folder, ".xz"),
        "csv.zip": lambda: _gmb(folder, ".zip"),
        "conll": lambda: _file(folder / "train.conll", read_conll, [_CONLL], _CONLL_WORDS),
        "label-map.json": lambda: _label_map(folder, ".json"),
        "label-map.yaml": lambda: _label_map(folder, ".yaml"),
        "pretrain-config": lambda: _config(folder),
        "text": lambda: _text(folder, ".txt", bytes),
        "text.gz": lambda: _text(folder, ".txt.gz", gzip.compress),
        "text.xz": lambda: _text(folder, ".txt.xz", lzma.compress),
        "text.jsonl": lambda: _json_lines(folder),
        "text.spacy": lambda: _docs(folder),
        "text-cache": lambda: _text_cache(folder),
        "checkpoint": lambda: _checkpoint(folder),
        "language-model": lambda: _language_model(folder),
        "errors.json": lambda: _audit(folder),
        "results.json": lambda: _file(
            folder / "results.json", read_results, [_RESULTS.read_bytes()], _JSON_WORDS
        ),
        "texts.json": lambda: _file(
            folder / "texts.json", _shown_texts, [_TEXTS.to_json().encode()], _JSON_WORDS
        ),
    }


def _file(
    path: Path,
    read: Callable[[Path], object],
    seeds: Sequence[bytes],
    words: Sequence[bytes] = (),
    places: dict[int, Sequence[int]] | None = None,
) -> Target:
    def run(data: bytes) -> object:
        path.write_bytes(data)
        return read(path)

    return Target(run, seeds, words, places or {})


def _files(folder: Path, names: Sequence[str], read: Callable[[Path], object]) -> Target:
    """A folder with one file changed: the first byte says which, the others are its content."""
    whole = {name: (folder / name).read_bytes() for name in names}

    def run(data: bytes) -> object:
        name = names[data[0] % len(names)] if data else names[0]
        path = folder / name
        path.write_bytes(data[1:])
        try:
            return read(folder)
        finally:
            # Not overwritten: arrays of this file may still be mapped.
            path.unlink()
            path.write_bytes(whole[name])

    seeds = [bytes([i]) + whole[name] for i, name in enumerate(names)]
    return Target(run, seeds, _JSON_WORDS + _NPY_WORDS)


_JSON_WORDS = (
    *(
        b"null",
        b"true",
        b"false",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"{}",
        b"[]",
        b'""',
        b"[[",
        b"-0",
    ),
    *(
        b'"\\ud800"',
        b"\xef\xbb\xbf",
        b"9" * 30,
        b"9" * 5000,
        b"-1",
        b"0.5",
        b"[" * 2000,
        b":",
        b",",
    ),
)
_NPY_WORDS = (
    b"'<i8'",
    b"'|O'",
    b"'>i4'",
    b"'descr'",
    b"(2,)",
    b"(-1,)",
    b"(99999999999,)",
    b"True",
)
_MSGPACK_WORDS = (
    *(b"\xc0", b"\xc1", b"\xff", b"\x90", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"),
    *(b"\xcf" + b"\xff" * 8, b"\xcb\x7f\xf8" + b"\0" * 6, b"\xc7\x01\x01x", b"\xa4ORTH"),
)
_RESULTS = ROOT / "benchmarks/results/gmb-seed.json"
_TEXTS = Texts(
    ["gold", "ours"], 9, [Text(3, ["Hi"], {"gold": [(0, 1, "per")], "ours": []})], [("Random", 0)]
)
_CONLL = b"# a comment\nMr.\tNNP\tB-per\nAzhari\tNNP\tI-per\nsmiled\tVBD\tO\n\n.\t.\tO\n"
_CONLL_WORDS = (
    b"\t",
    b"\n\n",
    b"# ",
    b"B-per",
    b"I-",
    b"O",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\0",
)


def _options(folder: Path) -> Target:
    seeds = [json.dumps(random_bilm().options.to_dict()).encode()]
    seeds += [path.read_bytes() for path in (ROOT / "spacy_elmo_ner/data").glob("*/options.json")]
    return _file(folder / "options.json", BiLMOptions.from_json, seeds, _JSON_WORDS)


def _hdf5(folder: Path) -> Target:
    bilm = random_bilm()
    bilm.to_hdf5(folder / "hdf5")
    options, weights = (folder / "hdf5" / name for name in ("options.json", "weights.hdf5"))
    seed = weights.read_bytes()
    inside = np.ones(len(seed), dtype=bool)

    def leave_out(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            start = item.id.get_offset()
            inside[start : start + item.nbytes] = False

    with h5py.File(weights) as file:
        file.visititems(leave_out)
    # Between values, HDF5 leaves whole blocks empty: what is zero on both sides is left alone.
    near = np.convolve(np.frombuffer(seed, np.uint8) != 0, np.ones(17), "same") > 0
    places = np.flatnonzero(inside & near).tolist()

    def read(path: Path) -> object:
        return BiLM.from_hdf5(options, path)

    return _file(
        weights, read, [seed], (b"\xff" * 8, b"TREE", b"SNOD", b"HEAP", b"OHDR"), {0: places}
    )


def _safetensors() -> Target:
    bilm = random_bilm()
    seeds = [bilm.to_bytes(), bilm.to_bytes(dtype=torch.float16)]
    places = {i: range(8 + int.from_bytes(seed[:8], "little")) for i, seed in enumerate(seeds)}

    def read(data: bytes) -> object:
        return BiLM.from_bytes(bilm.options, data, source="an input")

    words = (*_JSON_WORDS, b'"F32"', b'"F64"', b'"BF16"', b'"I64"', b'"F8_E4M3"', b'"shape"')
    return Target(read, seeds, words, places)


_CSV = (
    'Sentence #,Word,POS,Tag\r\nSentence: 1,Mr.,NNP,B-per\r\n,"A, ""b""",NNP,I-per\r\n'
    "Sentence: 2,\u2026,NN,O\r\n,None,NN,B-geo\r\n"
).encode("cp1252")
_CSV_WORDS = (
    b"Sentence: ",
    b'"',
    b'""',
    b",",
    b"\r\n",
    b"\n",
    b"\r",
    b"B-per",
    b"\x81",
    b"\0",
    b"9" * 5000,
)


def _gmb(folder: Path, suffix: str) -> Target:
    packed = {"": bytes, ".xz": lzma.compress, ".zip": _zip}[suffix]
    return _file(
        folder / f"ner_dataset.csv{suffix}",
        read_gmb,
        [packed(_CSV)],
        () if suffix else _CSV_WORDS,
    )


def _zip(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("._ner_dataset.csv", b"attributes")
        archive.writestr("ner_dataset.csv", data)
    return file.getvalue()


def _label_map(folder: Path, suffix: str) -> Target:
    if suffix == ".json":
        seeds = [path.read_bytes() for path in (ROOT / "assets/label_maps").glob("*.json")]
        words = _JSON_WORDS
    else:
        seeds = [
            b"description: a map\nents: {PERSON: per, 'NO': null}\ntags:\n  -LRB-: LRB\n  X: Y\n"
        ]
        words = (
            b"&a ",
            b"*a",
            b"!!set",
            b"!!binary ",
            b"!!timestamp ",
            b"<<: ",
            b"? ",
            b"- ",
            b"|\n",
            b"%",
        )
    return _file(folder / f"map{suffix}", LabelMap.from_file, seeds, words)


def _config(folder: Path) -> Target:
    text = (ROOT / "configs/pretrain-small-en.cfg").read_bytes()
    short = b'[paths]\na = "x.txt"\n[text]\npaths = ["${paths.a}"]\n[training]\nseed = 1\n'
    words = (
        b"${text}",
        b"${paths.a}",
        b"[bilm]",
        b"[text.paths]",
        b"[*]",
        b"[a.*.b]",
        b"$",
        b"@",
        b"=",
        b"[DEFAULT]",
    )
    return _file(folder / "run.cfg", PretrainingConfig.from_cfg, [short, text], words + _JSON_WORDS)


def _text(folder: Path, suffix: str, pack: Callable[[bytes], bytes]) -> Target:
    plain = "The cat sat .\n\n\u05e9\u05dc\u05d5\u05dd e\u0301 \U0001f600\r\nNext\n".encode()
    path = folder / f"text{suffix}"
    words = (b"\n", b"\r", b"\0", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x85", b"\xe2\x80\xa8")
    return _file(path, lambda path: list(read_lines(path)), [pack(plain)], words)


def _json_lines(folder: Path) -> Target:
    lines = b'{"text": "The cat sat ."}\n\n{"text": "Next\\n\\u00e9", "meta": {"n": [1, null]}}\n'
    return _file(
        folder / "text.jsonl", lambda path: list(read_json_lines(path)), [lines], _JSON_WORDS
    )


def _docs(folder: Path) -> Target:
    nlp = spacy.blank("en")
    docs = [Doc(nlp.vocab, words=["The", "cat", "sat", "."]), Doc(nlp.vocab, words=["Next", "!"])]
    docs[1][0].is_sent_start = True
    whole = DocBin(attrs=["ORTH", "SPACY", "SENT_START"], docs=docs).to_bytes()
    # Packed, a changed byte is only ever a wrong checksum: what is packed is changed, too.
    inside = zlib.decompress(whole)

    def read(data: bytes) -> object:
        path = folder / "text.spacy"
        path.write_bytes(data[1:] if data[:1] == b"p" else zlib.compress(data[1:], level=1))
        return list(read_sentences(path, nlp))

    return Target(read, [b"p" + whole, b"i" + inside], _MSGPACK_WORDS)


def _shown_texts(path: Path) -> object:
    texts = read_texts(path)
    return texts.to_json(), texts.examples()


def _audit(folder: Path) -> Target:
    row = AuditRow(7, 1, 2, "type", "x=org", "x=geo", 0.9, 0.05, 0.95, "in [[x]] now")
    write_audit([Audit("elmo_ner", 4, 40, [("O", "B-geo", 3)], [row])], [Path("a.spacy")], folder)
    seed = (folder / "errors.json").read_bytes()
    return _file(folder / "errors.json", read_audit, [seed], _JSON_WORDS)


def _text_cache(folder: Path) -> Target:
    (folder / "raw.txt").write_text("The cat sat .\nThe dog ran .\n" * 3, encoding="utf8")
    cache = folder / "cache"
    tokenize([folder / "raw.txt"], progress=False).to_disk(cache)
    names = ["counts.npy", "tokens.npy", "offsets.npy", "source.npy", "words.json"]

    def read(folder: Path) -> object:
        text = TokenizedText.from_disk(folder)
        return [[text.words[i] for i in text.sentence(n)] for n in range(text.n_sentences)]

    return _files(cache, names, read)


def _checkpoint(folder: Path) -> Target:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    config = {"training": {"seed": 0, "softmax_cutoffs": (1, 2)}}
    save_checkpoint(folder / "run", model, optimizer, Progress(step=5), config, 1)

    def read(path: Path) -> object:
        progress = load_checkpoint(path, model, optimizer, config)
        optimizer.step()
        return progress

    names = ["model.safetensors", "optimizer.safetensors", "state.json"]
    return _files(folder / "run" / "step-00000005", names, read)


def _language_model(folder: Path) -> Target:
    words = [f"w{i}" for i in range(9)]
    vocabulary = Vocabulary(SPECIAL + words)
    output = folder / "model"
    write_language_model(LanguageModel(random_bilm(), len(vocabulary), [4]), vocabulary, output)
    return _files(output, ["softmax.safetensors", "vocabulary.txt"], load_language_model)


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Where inputs are written; in memory where the system has a place for that."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
