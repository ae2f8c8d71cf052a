"""Shards: the same texts give the same shards, whatever way they travel."""

from spacy_elmo_ner.annotation.texts import Shard, Text, cut

TEXTS = [Text(f"t{i}", "x" * i) for i in range(10)]


def _cut(**limits: int) -> list[Shard]:
    return [*cut(((text, number) for number, text in enumerate(TEXTS, 1)), **limits)]


def test_shards_hold_all_texts_in_order() -> None:
    shards = _cut(n_texts=4)
    assert [shard.number for shard in shards] == [0, 1, 2]
    assert [len(shard.texts) for shard in shards] == [4, 4, 2]
    assert [text for shard in shards for text in shard.texts] == TEXTS
    assert [shard.n_bytes_read for shard in shards] == [4, 8, 10]


def test_long_texts_end_a_shard_sooner() -> None:
    assert [len(shard.texts) for shard in _cut(n_texts=4, n_characters=9)] == [4, 2, 2, 2]


def test_no_texts_give_no_shard() -> None:
    assert [*cut([])] == []


def test_a_shard_survives_its_journey() -> None:
    odd = [
        Text("a", "日本\0\u2028 😀"),
        Text("b", None, error="[EL610]"),
        Text("c", "x y", ["x", "y"]),
    ]
    odd.append(Text("d", "x y", ["x", "y"], [True, False]))
    shard = Shard(3, odd, 17)
    assert Shard.from_bytes(shard.to_bytes()) == shard
    assert Shard.from_bytes(shard.to_bytes()).digest() == shard.digest()


def test_the_digest_is_of_texts_and_ids_alone() -> None:
    shard = Shard(0, TEXTS, 5)
    assert shard.digest() == Shard(7, TEXTS, 9).digest()
    for changed in (TEXTS[:-1], [*TEXTS[:-1], Text("t9", "y")], [*TEXTS[:-1], Text("u", "x" * 9)]):
        assert Shard(0, changed, 5).digest() != shard.digest()
