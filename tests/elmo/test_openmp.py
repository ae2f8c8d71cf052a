from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from spacy_elmo_ner.elmo import openmp
from tests.conftest import torch_threads

on_openmp = pytest.mark.skipif(openmp.team() is None, reason="torch runs on no OpenMP here.")


@on_openmp
def test_one_thread_is_for_the_calling_thread_and_ends() -> None:
    with ThreadPoolExecutor(1) as other, torch_threads(3):
        assert other.submit(torch.get_num_threads).result() == 3
        with openmp.one_thread():
            assert torch.get_num_threads() == 1
            assert other.submit(torch.get_num_threads).result() == 3
            with openmp.one_thread():
                assert torch.get_num_threads() == 1
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
        with pytest.raises(KeyError), openmp.one_thread():
            raise KeyError
        assert torch.get_num_threads() == 3


@on_openmp
def test_a_new_thread_keeps_the_number_that_was_set() -> None:
    """torch sets a thread up when it first asks: that must not come between the two changes."""

    def work() -> tuple[int, int]:
        with openmp.one_thread():
            torch.ones(1000, 1000).add_(1)
            inside = torch.get_num_threads()
        return inside, torch.get_num_threads()

    with torch_threads(2), ThreadPoolExecutor(1) as fresh:
        assert fresh.submit(work).result() == (1, 2)


def test_without_openmp_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmp, "_library", lambda: None)
    assert openmp.team() is None
    with torch_threads(2), openmp.one_thread():
        assert torch.get_num_threads() == 2
