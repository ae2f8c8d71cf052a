import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.comparison.report.charts import draw_charts
from spacy_elmo_ner.comparison.report.page import render_page, write_report
from spacy_elmo_ner.comparison.run import Comparison, compare


def page_of(compared):
    return render_page(compared.results, compared.texts, draw_charts(compared.results))


def test_the_page_and_a_picture_of_every_chart_are_written(compared, tmp_path):
    written = write_report(compared.results, compared.texts, tmp_path / "out")
    names = sorted(path.name for path in written)
    assert names == [
        "accuracy-speed.png",
        "confusion-0.png",
        "confusion-1.png",
        "intervals.png",
        "learning.png",
        "reliability.png",
        "report.html",
        "thresholds.png",
        "training-0.png",
        "types.png",
    ]
    for path in written[1:]:
        assert path.read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out" / "report.html").stat().st_size < 1e6


def test_the_page_needs_nothing_from_outside(compared):
    page = page_of(compared)
    addresses = re.findall(r"""(?:src|href|action)=["']([^"'#][^"']*)""", page)
    assert addresses == []
    assert not re.search(r"@import|url\((?!#)", page)
    assert "default-src 'none'" in page


def test_every_id_stands_once_and_every_reference_leads_somewhere(compared):
    page = page_of(compared)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    wanted = re.findall(r'(?:href="#|url\(#|aria-labelledby=")([^")]+)', page)
    assert set(wanted) <= set(ids)


def test_the_page_is_well_formed(compared):
    void = {"meta", "input", "br", "link"}
    open_tags: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in void:
                open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    Balance().feed(page_of(compared))
    assert open_tags == []


def test_every_chart_has_words_and_figures_beside_it(compared):
    charts = draw_charts(compared.results)
    page = page_of(compared)
    assert page.count('role="img"') == len(charts) == 9
    for chart in charts:
        assert f'id="{chart.key}-caption"' in page
        assert chart.alternative.strip()
        assert chart.table.rows


def test_charts_follow_the_theme_and_name_no_font_of_their_own(compared):
    for chart in draw_charts(compared.results):
        markup = chart.svg()
        assert "var(--" in markup
        assert not re.search(r"#[0-9a-f]{6}", markup.replace("#000000", "")), chart.key
        assert "DejaVu" not in markup


def test_the_summary_marks_the_best_and_shows_published_figures(compared):
    page = page_of(compared)
    summary = page[page.index('id="summary"') : page.index('id="charts"')]
    assert summary.count('class="best"') >= 3
    assert "paper (published)" in summary
    assert ">81.2<" in summary
    assert "no-such-pipeline was skipped" in page


def test_words_of_a_corpus_cannot_become_markup(folder, write_corpus):
    words = ["</script><script>alert(1)</script>", "<b>", "&amp;", "London"]
    evil = Doc(Vocab(), words=words, ents=["O", "B-<i>", "O", "B-geo"])
    names = [("<u>rules</u>", str(folder / "rules"))]
    train = write_corpus(name="train.spacy")
    found = compare(
        Comparison(names, [write_corpus([evil])], train=train, repeats=0, progress=False)
    )
    page = page_of(found)
    assert "<script>alert" not in page
    assert "<i>" not in page
    assert "<u>" not in page
    assert page.count("</script>") == 2
    payload = re.search(r'id="texts">(.*?)</script>', page, re.DOTALL)
    assert payload is not None
    assert json.loads(payload[1])["texts"][0]["w"] == words


def chart_named(compared, key):
    (chart,) = [each for each in draw_charts(compared.results) if each.key == key]
    return chart


def test_the_curve_of_thresholds_says_and_marks_the_pipelines_own(compared):
    chart = chart_named(compared, "thresholds")
    assert (
        "tagged at its threshold of 0: precision 80.0, recall 80.0; at 0.9: 89.0 and 71.0."
        in chart.alternative
    )
    assert chart.table.header[1:] == ["threshold", "P", "R", "F1"]
    assert chart.table.rows[0] == ["tagged", "0", "80.00", "80.00", "80.00"]
    written = re.findall(r"<text[^>]*>([^<]*)</text>", chart.svg())
    assert written.count("0.25") == written.count("0.9") == 2  # one a pipeline
    (axes,) = chart.figure.axes
    rings = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert [(*line.get_xdata(), *line.get_ydata()) for line in rings] == [(80.0, 80.0)] * 2


def test_reliability_tells_the_calibration_error_of_entities_and_of_tags(compared):
    chart = chart_named(compared, "reliability")
    assert "tagged: entities by 5.0; rules: entities by 5.0; tags: tags by 5.0." in (
        chart.alternative
    )
    assert {row[0] for row in chart.table.rows} == {
        "tagged, entities",
        "rules, entities",
        "tags, tags",
    }


def test_probable_errors_are_marked_in_their_text_and_nothing_was_changed(compared):
    page = page_of(compared)
    section = page[page.index('<section id="errors"') : page.index('<section id="notes"')]
    assert "No label was changed" in section
    assert "elmo_ner on train.spacy: 70 in 40 texts, the first 3" in section
    marked = "... is in <mark>Paris</mark> &lt;b&gt;now&lt;/b&gt; ."
    assert section.count(marked) == 3
    assert section.count("<mark>") == 4
    assert section.count("<details") == 2
    assert section.count("<details open") == 1


def test_without_gold_the_page_shows_agreement(folder, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("Smith left London.\n", encoding="utf8")
    names = [(name, str(folder / name)) for name in ("onto", "rules")]
    page = page_of(compare(Comparison(names, [text], repeats=0, progress=False)))
    assert "Agreement between pipelines" in page
    assert "Who agrees" in page
    assert "Who is right" not in page


@pytest.mark.parametrize("field", ["differences", "published", "agreement"])
def test_the_page_does_without_what_is_not_there(compared, field):
    first, *others = compared.results.corpora
    bare = replace(first, **{field: []})
    results = replace(
        compared.results,
        corpora=[bare, *others],
        learning_curve=[],
        training_logs=[],
        probable_errors=[],
    )
    page = render_page(results, replace(compared.texts, texts=[], chosen=[]), [])
    assert 'id="browse"' not in page
    assert 'id="errors"' not in page
    assert "Probable annotation errors" not in page
    assert 'id="charts"' not in page
