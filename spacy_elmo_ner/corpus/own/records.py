"""Read texts with spans: JSON of spaCy, Prodigy, doccano and Label Studio.

{"text": "...", "spans": [{"start": 0, "end": 5, "label": "PER"}]}     spaCy, Prodigy
{"text": "...", "label": [[0, 5, "PER"]]}                              doccano
{"data": {"text": "..."}, "annotations": [{"result": [...]}]}          Label Studio
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from spacy.language import Language

from ...errors import Errors, shown
from .texts import CharSpan, OwnText, Problem, set_entities

# Where the spans of a text are, by the tool that wrote it.
_SPANS = ("spans", "label", "labels", "entities")
# Half of a character, which JSON can spell out and nothing can write.
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_BLANKS = re.compile(r"\\n|\s+")


class _Record(NamedTuple):
    """Holds a text with its spans, and what does not fit it; is_annotated: it says which it has."""

    text: str
    spans: list[CharSpan]
    problems: list[str]
    is_annotated: bool = True


def read_records(path: Path, text: str, nlp: Language) -> list[OwnText]:
    """Return the texts of a .jsonl file or of a .json file with a list, split by nlp's tokenizer.

    Left out are texts that a person rejected or skipped. Raises ValueError (EL654) naming the
    line that cannot be read, and (EL656) for a file without any annotation.
    """
    texts: list[OwnText] = []
    without: list[OwnText] = []
    for place, value in _values(path, text):
        try:
            record = _record(value)
        except ValueError as error:
            raise _unreadable(path, place, str(error)) from error
        if record is None:
            continue
        if len(record.text) > nlp.max_length:
            problem = f"its text has more than {nlp.max_length:,} characters"
            raise _unreadable(path, place, problem)
        doc = nlp.make_doc(record.text)
        found = [*record.problems, *set_entities(doc, record.spans)]
        problems = [Problem("span", path, place, what) for what in found]
        texts.append(OwnText(doc, path, place, None, problems))
        if not record.is_annotated:
            without.append(texts[-1])
    if len(without) == len(texts):
        raise ValueError(Errors.EL656.format(path=path))
    for each in without:
        what = "it does not say which spans it has, and counts as a text without any"
        each.problems.append(Problem("span", path, each.place, what))
    return texts


def _unreadable(path: Path, place: str, problem: str) -> ValueError:
    return ValueError(Errors.EL654.format(path=path, place=place, problem=problem))


# ---- JSON values and their places -----------------------------------------------------------


def _values(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    """Yield (place, value) of each line, or of each item where the file is one list."""
    if text.lstrip().startswith("[") and path.suffix.lower() == ".json":
        yield from _items(path, text)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            place = f"line {number}"
            try:
                yield place, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _unreadable(path, place, _json_problem(error)) from error


def _items(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    """Yield the items of one list, each with its number and the line where it begins."""
    decoder = json.JSONDecoder()
    at, line, counted = text.index("[") + 1, 1, 0
    number = 0
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            if rest := text[at + 1 :].strip():
                problem = f"the list ends there, but {shown(rest)} follows"
                raise _unreadable(path, f"after item {number}", problem)
            return
        if number:
            if text[at : at + 1] != ",":
                raise _unreadable(path, f"after item {number}", "no comma or ] follows")
            at = _skip(text, at + 1)
        number += 1
        line += text.count("\n", counted, at)
        counted = at
        place = f"item {number} (line {line})"
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise _unreadable(path, place, _json_problem(error)) from error
        yield place, value


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _json_problem(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"no valid JSON ({error.msg} at column {error.colno})"
    return f"no JSON that can be read ({type(error).__name__})"


# ---- what the tools write -------------------------------------------------------------------


def _record(value: Any) -> _Record | None:
    """Return what a value holds, None if it is to be left out; raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is no object")
    if isinstance(value.get("data"), dict):
        return _label_studio(value)
    text = _checked_text(value.get("text"), 'its "text"')
    if value.get("answer", "accept") != "accept":  # Prodigy: reject, ignore
        return None
    given = {key: value[key] for key in _SPANS if value.get(key) is not None}
    if not given:
        # Prodigy leaves out the spans of a text that has none, but has the person's answer.
        is_annotated = any(each in value for each in ("answer", *_SPANS))
        return _Record(text, [], [], is_annotated)
    key = next((key for key, spans in given.items() if spans != []), next(iter(given)))
    spans = given[key]
    if not isinstance(spans, list):
        raise ValueError(f'its "{key}" is {shown(spans)}, no list of spans')
    return _Record(text, [span for item in spans for span in _spans(item)], [])


def _checked_text(text: Any, name: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{name} is {shown(text)}")
    if found := _NO_TEXT.search(text):
        raise ValueError(f"{name} holds U+{ord(found[0]):04X}, which is no character")
    return text


def _spans(item: Any) -> list[CharSpan]:
    """Return a span once for each of its labels."""
    start = end = labels = None
    if isinstance(item, dict):
        start = item.get("start", item.get("start_offset"))
        end = item.get("end", item.get("end_offset"))
        labels = item.get("label", item.get("labels"))
    elif isinstance(item, list) and len(item) == 3:
        start, end, labels = item
    labels = labels if isinstance(labels, list) else [labels]
    is_span = all(isinstance(place, int) and not isinstance(place, bool) for place in (start, end))
    if not is_span or not all(isinstance(label, str) and label.strip() for label in labels):
        raise ValueError(f"{shown(item)} is no span with start, end and label")
    assert isinstance(start, int) and isinstance(end, int)
    return [CharSpan(start, end, _checked_text(label, "a label").strip()) for label in labels]


def _label_studio(task: dict[str, Any]) -> _Record | None:
    """Return the newest annotation of a task that a person finished; None if there is none."""
    texts = [value for value in task["data"].values() if isinstance(value, str)]
    text = task["data"].get("text", texts[0] if len(texts) == 1 else None)
    text = _checked_text(text, 'the "text" of its "data"')
    annotations = task.get("annotations")
    if not isinstance(annotations, list):
        raise ValueError('it has no list of "annotations"')
    finished = [each for each in annotations if isinstance(each, dict)]
    finished = [each for each in finished if not each.get("was_cancelled")]
    if not finished:
        return None
    results = finished[-1].get("result")
    if not isinstance(results, list):
        raise ValueError('its annotation has no list of "result"')
    record = _Record(text, [], [])
    for result in results:
        value = result.get("value") if isinstance(result, dict) else None
        if isinstance(value, dict) and "labels" in value:
            for span in _spans({**value, "label": value["labels"]}):
                _add(record, span, value.get("text"))
    return record


def _add(record: _Record, span: CharSpan, words: Any) -> None:
    """Add a span, counted in characters or, as browsers do, in units of UTF-16."""
    text = record.text
    if not isinstance(words, str) or _same(text[span.start : span.end], words):
        record.spans.append(span)
        return
    units = text.encode("utf-16-le")
    before, within = units[: 2 * span.start], units[2 * span.start : 2 * span.end]
    start = len(before.decode("utf-16-le", errors="ignore"))
    inside = within.decode("utf-16-le", errors="ignore")
    if _same(inside, words):
        record.spans.append(CharSpan(start, start + len(inside), span.label))
    else:
        record.problems.append(
            f"{shown(words)} ({span.label}) is not what the text has from {span.start} to "
            f"{span.end}, {shown(text[span.start : span.end])}"
        )


def _same(first: str, second: str) -> bool:
    """Compare without white space, which Label Studio does not always keep."""
    return _BLANKS.sub("", first) == _BLANKS.sub("", second)
