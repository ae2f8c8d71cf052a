import numpy as np
import pytest

from spacy_elmo_ner.vectors.quantize import cosines, quantize


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3000, 6)).astype("f")


def test_a_byte_for_two_values_keeps_the_direction(vectors):
    values = quantize(vectors, part_width=2)
    assert values.codes.nbytes == 3000 * 3 and values.width == 6
    assert cosines(vectors, values.take(np.arange(3000))).mean() > 0.99


def test_fewer_values_per_byte_lose_less(vectors):
    means = [
        cosines(vectors, quantize(vectors, part_width).take(np.arange(3000))).mean()
        for part_width in (1, 2, 3)
    ]
    assert means[0] > means[1] > means[2]


def test_few_different_values_are_kept_exactly():
    vectors = np.arange(40, dtype="f").reshape(10, 4)
    values = quantize(vectors, part_width=2)
    np.testing.assert_array_equal(values.take(np.array([9, 0, 9])), vectors[[9, 0, 9]])


def test_the_same_vectors_give_the_same_bytes(vectors):
    one, other = quantize(vectors), quantize(vectors)
    assert one.codes.tobytes() == other.codes.tobytes()
    assert one.codebook.tobytes() == other.codebook.tobytes()


def test_every_value_has_its_nearest_centre(vectors):
    values = quantize(vectors, part_width=2)
    distances = np.linalg.norm(vectors[:, None, :2] - values.codebook[0], axis=2)
    np.testing.assert_allclose(
        distances[np.arange(3000), values.codes[:, 0]], distances.min(axis=1), atol=1e-6
    )


@pytest.mark.parametrize("part_width", [0, 4, 7])
def test_parts_must_divide_the_width(vectors, part_width):
    with pytest.raises(ValueError, match="EL053"):
        quantize(vectors, part_width)


def test_the_cosine_to_zeros_is_zero():
    assert cosines(np.zeros((1, 2)), np.ones((1, 2))).tolist() == [0.0]
