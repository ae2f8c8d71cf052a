"""The compiled kernels against torch, and built with sanitizers."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from spacy_elmo_ner.elmo import kernels, openmp
from spacy_elmo_ner.elmo.lstm_compiled import PackedLayer, Places
from spacy_elmo_ner.elmo.lstm_prediction import FastLSTM
from spacy_elmo_ner.elmo.lstm_training import LSTMWeights, packed_lstm
from tests.conftest import torch_threads
from tests.sanitizers import build_with_sanitizers

HERE = Path(kernels.__file__).parent

compiled = pytest.mark.skipif(kernels.library() is None, reason="The kernels were not built.")
for_training = pytest.mark.skipif(
    not kernels.available_for_training(), reason="This CPU has no products of bfloat16."
)


@pytest.fixture(params=[False, True], ids=["registers", "tiles"])
def tiles(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Run a test with products in registers and in tiles, as far as this CPU has them."""
    before = kernels.prediction_kind(torch.bfloat16) == 4
    if kernels.use_tiles(request.param) != request.param:
        pytest.skip("This CPU has no tiles.")
    yield request.param
    kernels.use_tiles(before)


def _weights(units: int, n_in: int, n_out: int, projected: bool) -> LSTMWeights:
    shapes = ((4 * units, n_in), (4 * units, n_out), (4 * units,))
    own = [torch.randn(shape) / units**0.5 for shape in shapes]
    return LSTMWeights(*own, torch.randn(n_out, units) / units**0.5 if projected else None)


Shape = tuple[int, int, int]


def _layer(shape: Shape, rows: int) -> tuple[LSTMWeights, dict[str, Any], list[int], Any, Any]:
    """Draw weights, with bounds that some values reach, steps, inputs and states to start from."""
    torch.manual_seed(0)
    n_in, units, n_out = shape
    weights = _weights(units, n_in, n_out, n_out != units)
    sizes = [rows, rows, max(1, rows // 2), 1]
    x, h, c = torch.randn(sum(sizes), n_in), torch.randn(rows, n_out), torch.randn(rows, units)
    bounds = {"cell_clip": 0.6, "proj_clip": 0.4 if n_out != units else None}
    return weights, bounds, sizes, x, (h, c)


@compiled
@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("shape", [(5, 16, 16), (37, 20, 20), (33, 50, 7), (64, 128, 128)], ids=str)
@pytest.mark.parametrize("rows", [1, 7, 40])
def test_each_kind_of_cpu_gives_torchs_numbers(kind: int, shape: Shape, rows: int) -> None:
    if kind > kernels.kind_of_cpu():
        pytest.skip("This CPU is older.")
    weights, bounds, sizes, x, state = _layer(shape, rows)
    expected, expected_last = packed_lstm(x, sizes, weights, state=state, **bounds)
    found, last = PackedLayer(weights, tuple(bounds.values()), kind)(x, sizes, state)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(last, expected_last, atol=1e-5, rtol=0)


@compiled
@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("rows", [1, 3, 4, 5, 24, 25])
def test_weights_that_float16_holds_are_read_as_such_and_give_the_same_bits(
    kind: int, projected: bool, rows: int
) -> None:
    if kind > kernels.kind_of_cpu():
        pytest.skip("This CPU is older.")
    torch.manual_seed(0)
    exact = _weights(37, 20, 19 if projected else 37, projected)
    rounded = LSTMWeights(
        *(part.half().float() for part in exact[:2]),
        exact.bias,
        None if exact.projection is None else exact.projection.half().float(),
    )
    layer = PackedLayer(rounded, (0.6, 0.4), kind)
    assert PackedLayer(exact, kind=kind)._halves is None
    assert layer._halves is not None
    x, sizes = torch.randn(3 * rows + 1, 20), [rows, rows, rows, 1]
    found, last = layer(x, sizes)
    layer._common.halves = None
    expected, expected_last = layer(x, sizes)
    assert torch.equal(found, expected) and torch.equal(last, expected_last)


@for_training
@pytest.mark.parametrize("shape", [(5, 16, 16), (37, 20, 20), (33, 50, 7), (64, 128, 128)], ids=str)
@pytest.mark.parametrize("rows", [1, 7, 16, 40])
def test_bfloat16_predicts_as_near_to_float32_as_torch_does(
    monkeypatch: pytest.MonkeyPatch, shape: Shape, rows: int, tiles: bool
) -> None:
    weights, bounds, sizes, x, state = _layer(shape, rows)

    def run(dtype: torch.dtype, enabled: bool) -> tuple[torch.Tensor, torch.Tensor]:
        monkeypatch.setattr(kernels, "enabled", enabled)
        lstm = FastLSTM(weights, **bounds, dtype=dtype)
        assert (lstm._compiled is not None) == enabled
        return lstm(x, sizes, state)

    exact = run(torch.float32, False)
    by_torch, by_kernel = run(torch.bfloat16, False), run(torch.bfloat16, True)
    assert kernels.prediction_kind(torch.bfloat16) == (4 if tiles else 3)
    for wanted, theirs, ours in zip(exact, by_torch, by_kernel, strict=True):
        assert 0 < (ours - wanted).norm() <= 1.3 * (theirs - wanted).norm()


@compiled
@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_a_sequence_is_the_same_to_the_last_bit_beside_any_others(
    monkeypatch: pytest.MonkeyPatch, n_threads: int, kind: int
) -> None:
    """Ahead of the steps or with them, in any block of rows, on any number of threads."""
    if kind > (kernels.prediction_kind(torch.bfloat16) or kernels.kind_of_cpu()):
        pytest.skip("This CPU is older.")
    torch.manual_seed(0)
    layer = PackedLayer(_weights(64, 47, 64, False), kind=kind)
    n_steps = 30
    own = torch.randn(n_steps, 47)
    alone, alone_last = layer(own, [1] * n_steps)
    monkeypatch.setattr(kernels.torch, "get_num_threads", lambda: n_threads)
    monkeypatch.setattr("spacy_elmo_ner.elmo.lstm_compiled._WORTH_THREADS", 0)
    for rows in (2, 5, 6, 16, 23, 24, 61):
        place = rows // 2
        x = torch.randn(n_steps, rows, 47)
        x[:, place] = own
        beside, last = layer(x.flatten(0, 1), [rows] * n_steps)
        assert torch.equal(beside.view(n_steps, rows, 64)[:, place], alone)
        assert torch.equal(last[place], alone_last[0])


@compiled
@pytest.mark.parametrize(
    "sizes, reads, writes, problem",
    [
        ([2, 3], None, None, "steps"),
        ([3, 1], None, None, "steps"),
        ([5, 0], None, None, "steps"),
        ([-5, 10], None, None, "steps"),
        ([3, 2], [0, 1, 2, 3, 5], None, "reads"),
        ([3, 2], [0, 1, 2, 3, -1], None, "reads"),
        ([3, 2], None, [0, 1, 2, 3, 5], "writes"),
        ([3, 2], None, [0, 1, 2, 3], "4 rows to write"),
    ],
)
def test_steps_and_rows_that_do_not_fit_are_refused(
    sizes: Sequence[int], reads: list[int] | None, writes: list[int] | None, problem: str
) -> None:
    layer = PackedLayer(_weights(16, 4, 16, False))
    with pytest.raises(ValueError, match=rf"EL025.*{problem}"):
        layer(
            torch.zeros(5, 4),
            sizes,
            places=Places(
                reads=None if reads is None else torch.tensor(reads),
                outputs=torch.zeros(5, 16),
                writes=None if writes is None else torch.tensor(writes),
            ),
        )


@compiled
@pytest.mark.parametrize("shape", [(5, 3), (5,), (5, 4, 1)], ids=str)
def test_inputs_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    layer = PackedLayer(_weights(16, 4, 16, False))
    with pytest.raises(ValueError, match=r"EL025.*inputs of shape"):
        layer(torch.zeros(shape), [3, 2])
    with pytest.raises(ValueError, match=r"EL025.*states of shapes"):
        layer(torch.zeros(5, 4), [3, 2], (torch.zeros(2, 16), torch.zeros(3, 16)))


@for_training
@pytest.mark.parametrize("clip", [None, 0.4, 0.7])  # bfloat16 rounds 0.4 up and 0.7 down
@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("odd", [0, 1])
def test_training_is_as_near_to_float32_as_torch_is(
    monkeypatch: pytest.MonkeyPatch, clip: float | None, projected: bool, odd: int, tiles: bool
) -> None:
    """Values and all gradients in bfloat16, from a state and with a mask, against float32."""
    units, n_in, n_out = 48, 20 + odd, 32 if projected else 48
    sizes = [21, 21, 20, 7, 7, 1]

    def run(dtype: torch.dtype, enabled: bool) -> list[torch.Tensor]:
        monkeypatch.setattr(kernels, "enabled", enabled)
        torch.manual_seed(1)
        weights = _weights(units, n_in, n_out, projected)
        own = [part.requires_grad_() for part in weights[:4] if part is not None]
        x = torch.randn(sum(sizes), n_in, requires_grad=True)
        state = torch.randn(21, n_out) / 3, torch.randn(21, units) / 3
        mask = torch.rand(21, n_out).gt(0.3) / 0.7
        outputs, last = packed_lstm(
            x,
            sizes,
            weights,
            state=state,
            recurrent_mask=mask,
            cell_clip=clip,
            proj_clip=clip if projected else None,
            dtype=dtype,
        )
        gradients = torch.autograd.grad((outputs * torch.randn(outputs.shape)).sum(), [x, *own])
        return [outputs.detach(), last, *gradients]

    exact = run(torch.float32, False)
    by_torch, by_kernel = run(torch.bfloat16, False), run(torch.bfloat16, True)
    for wanted, theirs, ours in zip(exact, by_torch, by_kernel, strict=True):
        if clip is None:
            slack = 1e-3 * wanted.norm()
            assert (ours - wanted).norm() <= 1.3 * (theirs - wanted).norm() + slack
        else:  # rounding decides which values reach a bound, where no gradient passes
            assert torch.cosine_similarity(ours.flatten(), wanted.flatten(), dim=0) > 0.995


@for_training
@pytest.mark.usefixtures("tiles")
def test_training_twice_gives_the_same_bits() -> None:
    torch.manual_seed(0)
    weights = _weights(32, 16, 16, True)
    own = [part.requires_grad_() for part in weights[:4] if part is not None]
    x = torch.randn(60, 16)
    first, second = (
        torch.autograd.grad(packed_lstm(x, [20] * 3, weights, dtype=torch.bfloat16)[0].sum(), own)
        for _ in range(2)
    )
    assert all(map(torch.equal, first, second))


@compiled
@pytest.mark.parametrize(
    "limit, most", [("AVX512_CORE_BF16", 3), ("AVX10_1_512", 3), ("AVX512_CORE_AMX", 4)]
)
def test_a_limit_for_onednn_holds_for_tiles(limit: str, most: int) -> None:
    own = kernels.prediction_kind(torch.bfloat16)
    if own is None:
        pytest.skip("This CPU has no products of bfloat16.")
    script = "from spacy_elmo_ner.elmo.kernels import *; print(prediction_kind(training_dtype()))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": limit},
    )
    assert done.stdout == f"{min(own, most)}\n", done.stderr


@compiled
@pytest.mark.skipif(sys.platform != "linux", reason="Finds OpenMP as Linux has it.")
def test_parts_run_alike_on_openmps_threads_and_on_threads_of_their_own() -> None:
    torch.manual_seed(0)
    layer = PackedLayer(_weights(128, 128, 128, False))
    sizes = [64] * 40
    x = torch.randn(sum(sizes), 128)
    team = openmp.team()
    assert team is not None
    library: Any = kernels.library()
    with torch_threads(2):
        on_team = layer(x, sizes)
        library.parts_use_team(None)
        try:
            on_own = layer(x, sizes)
        finally:
            library.parts_use_team(ctypes.cast(team, ctypes.c_void_p))
    assert all(map(torch.equal, on_team, on_own))


@pytest.mark.skipif(sys.platform != "linux", reason="Finds the sanitizers as Linux has them.")
def test_no_kernel_reads_or_writes_beyond_its_memory(tmp_path: Path) -> None:
    """Fuzzed shapes in a build with the address and undefined-behaviour sanitizers."""
    program = tmp_path / "fuzz"
    sources = [str(Path(__file__).with_name("fuzz_kernels.c"))]
    sources += [str(HERE / name) for name in ("parts.c", "tiles.c")]
    build_with_sanitizers(f"-I{HERE}", *sources, "-o", str(program), "-lm")
    done = subprocess.run([str(program), "300"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("300 layers of")


@for_training
@pytest.mark.skipif(sys.platform != "linux", reason="Finds the sanitizers as Linux has them.")
def test_no_kernel_of_training_reads_or_writes_beyond_its_memory(tmp_path: Path) -> None:
    """Fuzzed shapes in a build with sanitizers, which torch's memory comes from, too."""
    library = tmp_path / "kernels.so"
    sources = [str(path) for path in HERE.glob("*.c")]
    build_with_sanitizers("-shared", "-fPIC", *sources, "-o", str(library))
    found = [
        subprocess.run(["cc", f"-print-file-name={name}"], capture_output=True, text=True)
        for name in ("libasan.so", "libubsan.so")
    ]
    preload = " ".join(each.stdout.strip() for each in found)
    environment = {**os.environ, "LD_PRELOAD": preload, "ASAN_OPTIONS": "detect_leaks=0"}
    script = str(Path(__file__).with_name("fuzz_training.py"))
    done = subprocess.run(
        [sys.executable, script, str(library), "15"],
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": str(HERE.parents[1])},
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith("15 rounds\n")
