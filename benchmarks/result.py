"""One line of the table: what was measured, against what, and whether it is what it must be."""

from dataclasses import dataclass

from measure import MEGABYTE, median


@dataclass(frozen=True)
class Line:
    what: str
    against: str = ""
    theirs: str = ""
    howdah: str = ""
    ratio: str = ""
    spread: str = ""
    limit: str = ""
    is_met: bool | None = None  # None: nothing is asked of it, or it was not measured
    why_not: str = ""  # why it was not measured

    @property
    def verdict(self):
        if self.why_not:
            return self.why_not
        return {True: "ok", False: "**not met**", None: ""}[self.is_met]


def within(what, against, theirs, howdah, limit=None):
    """howdah may take `limit` times their seconds; no limit: told, and not judged."""
    ratio = median(howdah) / median(theirs)
    each = [ours / other for ours, other in zip(howdah, theirs)]
    return Line(
        what, against, seconds(median(theirs)), seconds(median(howdah)), f"{ratio:.2f} ×", span(each, "{:.2f}"),
        "" if limit is None else f"≤ {limit:.2f} ×", None if limit is None else ratio <= limit,
    )


def faster(what, against, theirs, howdah, limit):
    """howdah must be `limit` times as fast as they are."""
    ratio = median(theirs) / median(howdah)
    each = [other / ours for ours, other in zip(howdah, theirs)]
    return Line(
        what, against, seconds(median(theirs)), seconds(median(howdah)), f"{ratio:.1f} × faster", span(each, "{:.1f}"),
        f"≥ {limit} × faster", ratio >= limit,
    )


def at_most(what, values, limit, form, value=median):
    """`value` of the values must not be above the limit; `form` writes one with its unit."""
    measured = value(values)
    return Line(
        what, howdah=form.format(measured), spread=span(values, form), limit="≤ " + form.format(limit),
        is_met=measured <= limit,
    )


def at_least(what, values, limit, form):
    measured = median(values)
    return Line(
        what, howdah=form.format(measured), spread=span(values, form), limit="≥ " + form.format(limit),
        is_met=measured >= limit,
    )


def megabytes(sizes):
    return [size / MEGABYTE for size in sizes]


def missing(what, why, against=""):
    return Line(what, against, why_not=why)


def seconds(value):
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f} s"


def span(values, form):
    return f"{form.format(min(values))} – {form.format(max(values))}"
