from pathlib import Path

import pytest
import torch
from torch import Tensor

from spacy_elmo_ner.elmo import compiled_cell as module
from spacy_elmo_ner.elmo.compiled_cell import CompiledCell, compile_cell, compiled_cell
from spacy_elmo_ner.elmo.fast_lstm import FastLSTM, TorchCell
from spacy_elmo_ner.elmo.packed_lstm import LSTMWeights
from spacy_elmo_ner.elmo.packing import Packing

TYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
# One that fits no vector register whole, one for several threads.
SIZES = pytest.mark.parametrize("size", [(3, 5), (70, 130)], ids=str)


def _step(
    cell: TorchCell | CompiledCell, gates: Tensor, cells: Tensor, clip: float | None
) -> tuple[Tensor, Tensor]:
    n, units = cells.shape
    cells, hidden = cells.clone(), torch.zeros(n, units, dtype=gates.dtype)
    cell.hidden(gates.clone(), n, cells, hidden, clip)
    return cells, hidden


@TYPES
@SIZES
@pytest.mark.parametrize("clip", [None, 0.7])
def test_cells_and_hidden_states_equal_those_of_torch(
    compiled_folder: Path, dtype: torch.dtype, size: tuple[int, int], clip: float | None
) -> None:
    torch.manual_seed(0)
    n, units = size
    gates, cells = (torch.randn(n, 4 * units) * 4).to(dtype), torch.randn(n, units)
    compiled = compiled_cell(dtype, compiled_folder)
    assert compiled is not None
    expected, found = _step(TorchCell(), gates, cells, clip), _step(compiled, gates, cells, clip)
    torch.testing.assert_close(found[0], expected[0], atol=2e-6, rtol=0)
    rounding = 2e-6 if dtype == torch.float32 else 2e-3
    torch.testing.assert_close(found[1], expected[1], atol=rounding, rtol=0)


@TYPES
@pytest.mark.parametrize("clip", [None, 0.7])
def test_outputs_go_where_torch_puts_them(
    compiled_folder: Path, dtype: torch.dtype, clip: float | None
) -> None:
    hidden = torch.randn(6, 5).to(dtype)
    compiled = compiled_cell(dtype, compiled_folder)
    assert compiled is not None
    found = []
    for cell in (TorchCell(), compiled):
        outputs, rows = torch.zeros(4, 5), torch.zeros(3, 7, dtype=dtype)
        cell.hand_on(hidden, 4, outputs, rows[:, 2:], 2.0, clip)
        found.append((outputs, rows))
    torch.testing.assert_close(found[0], found[1], atol=0, rtol=0)
    assert found[1][0].any() and found[1][1][:, 2:].any() and not found[1][1][:, :2].any()


def test_far_values_end_at_the_bounds_and_nan_stays(compiled_folder: Path) -> None:
    compiled = compiled_cell(torch.float32, compiled_folder)
    assert compiled is not None
    gates = torch.full((4, 4), 1e4)
    gates[1], gates[2, 0], gates[3] = -1e4, torch.nan, torch.inf
    expected = _step(TorchCell(), gates, torch.ones(4, 1), 6.0)
    found = _step(compiled, gates, torch.ones(4, 1), 6.0)
    torch.testing.assert_close(found, expected, equal_nan=True, atol=1e-6, rtol=0)
    assert found[0][2].isnan()


def test_a_row_is_the_same_to_the_last_bit_beside_any_others(compiled_folder: Path) -> None:
    compiled = compiled_cell(torch.float32, compiled_folder)
    assert compiled is not None
    gates, cells = torch.randn(70, 4 * 130), torch.randn(70, 130)
    together = _step(compiled, gates, cells, None)
    alone = _step(compiled, gates[33:34].clone(), cells[33:34], None)
    assert torch.equal(together[0][33:34], alone[0]) and torch.equal(together[1][33:34], alone[1])


def test_it_is_found_once_compiled(
    compiled_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    weights = LSTMWeights(torch.randn(8, 3), torch.randn(8, 2), torch.randn(8))
    packing, x = Packing.of([2, 1]), torch.randn(3, 3)
    before = FastLSTM(weights)(x, packing.batch_sizes)
    assert compiled_cell(torch.float32) is None
    monkeypatch.setattr(module, "FOLDER", compiled_folder)
    assert isinstance(compiled_cell(torch.float32), CompiledCell)
    torch.testing.assert_close(FastLSTM(weights)(x, packing.batch_sizes), before)
    assert compiled_cell(torch.float64) is None


def test_another_cpu_has_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paths = []
    for cpu in ("flags: avx2", "flags: avx2 avx512f"):
        monkeypatch.setattr(module, "_cpu", lambda cpu=cpu: cpu)
        module._path.cache_clear()
        paths.append(module._path(tmp_path))
    module._path.cache_clear()
    assert paths[0] != paths[1]


@pytest.mark.parametrize("compiler", ["no-such-compiler", "false"])
def test_a_compiler_that_fails_is_named_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, compiler: str
) -> None:
    monkeypatch.setenv("CC", compiler)
    with pytest.raises(OSError, match=rf"EL020.*{compiler}.*CC"):
        compile_cell(tmp_path)
    assert not list(tmp_path.iterdir())
