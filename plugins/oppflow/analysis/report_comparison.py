"""The part of a nightly campaign's report that says what changed since the last good night."""

from __future__ import annotations

from oppflow.analysis.formatting import NOTHING, format_number
from oppflow.analysis.html import Html, join, tag
from oppflow.comparison import Change, Comparison, NightVerdict, Verdict

ANCHOR = "comparison"
TITLE = "Compared with earlier nights"

_NAMES = {"last": "the last good night", "pinned": "the pinned reference"}
_TONES = {Verdict.SAME: " good", Verdict.NOISE: " good", Verdict.FAILED: " bad"}


def comparison_section(night: NightVerdict | None) -> Html:
    """Return the section, empty for campaigns that are no nights."""
    if night is None:
        return Html("")
    tone = _TONES.get(Verdict(night.verdict), "")
    return tag(
        "section",
        tag("h2", TITLE, id=ANCHOR),
        tag(
            "div",
            tag("p", f"Verdict: {night.verdict}.", class_=f"verdict{tone}"),
            *(tag("p", line) for line in night.reason.splitlines()[:20]),
            class_="card",
        ),
        *map(_comparison, night.comparisons),
        aria_labelledby=ANCHOR,
    )


def _comparison(one: Comparison) -> Html:
    when = f" of {one.started}" if one.started else ""
    total = sum(one.counts.get(kind, 0) for kind in ("changed", "new", "gone"))
    left = total - len(one.changes)
    more = f" The {len(one.changes)} clearest of {total:,} changes are shown." if left > 0 else ""
    table = f" Every scalar at every point is in {one.table}." if one.table else ""
    return join(
        tag("h3", f"Beside {_NAMES[one.reference]}: {one.verdict.value}"),
        tag("p", f"{one.results}{when}. {one.reason}{more}{table}", class_="soft"),
        _changes(one) if one.changes else "",
    )


def _changes(one: Comparison) -> Html:
    names = list(dict.fromkeys(name for change in one.changes for name in change.variables))
    head = [tag("th", name, scope="col", class_="text") for name in names]
    head += [
        tag("th", title, scope="col", class_=class_)
        for title, class_ in (
            ("Module", "text"), ("Scalar", "text"), ("Before", None), ("Now", None),
            ("Change", None), ("Adjusted p", None), ("Told by", "text"),
        )
    ]  # fmt: skip
    table = tag(
        "table",
        tag("caption", f"Scalars that changed beside {_NAMES[one.reference]}"),
        tag("thead", tag("tr", *head)),
        tag("tbody", *(_row(change, names) for change in one.changes)),
    )
    label = f"changes-{one.reference}"
    return tag("div", table, class_="card scroll", tabindex=0, role="region", aria_label=label)


def _row(change: Change, names: list[str]) -> Html:
    unit = f" [{change.unit}]" if change.unit else ""
    relative = NOTHING if change.relative is None else f"{100 * change.relative:+.3g} %"
    p = NOTHING if change.significance is None else f"{change.significance:.2g}"
    return tag(
        "tr",
        *(tag("td", change.variables.get(name, NOTHING), class_="text") for name in names),
        tag("td", change.module, class_="text"),
        tag("th", change.name + unit, scope="row", class_="text"),
        tag("td", format_number(change.before)),
        tag("td", format_number(change.now)),
        tag("td", relative),
        tag("td", p),
        tag("td", change.how, class_="text"),
    )
