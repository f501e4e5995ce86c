"""A drawing of lines over two axes, written by hand: SVG needs no library."""

from dataclasses import dataclass
from html import escape
from math import log10

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 44, 52


@dataclass(frozen=True)
class Curve:
    name: str
    colour: str
    points: list  # of (x, y)


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, with a label at each of `marks`: (value, words)."""

    title: str
    low: float
    high: float
    marks: list
    is_logarithmic: bool = False

    def share(self, value):
        """Where on the axis a value lies, from 0 to 1."""
        if self.is_logarithmic:
            return log10(value / self.low) / log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Panel:
    title: str
    x: Axis
    y: Axis
    curves: list
    limit: tuple = None  # (value, words): a dashed line that is not to be crossed

    def place(self, x, y):
        across = LEFT + self.x.share(x) * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - self.y.share(y) * (HEIGHT - TOP - BOTTOM)
        return across, down

    def draw(self):
        yield words(LEFT, TOP - 20, self.title, size=15, weight="bold")
        for value, label in self.x.marks:
            across, bottom = self.place(value, self.y.low)
            yield line(across, TOP, across, bottom, "#e4e4e4")
            yield words(across, bottom + 18, label, anchor="middle")
        for value, label in self.y.marks:
            left, down = self.place(self.x.low, value)
            yield line(left, down, WIDTH - RIGHT, down, "#e4e4e4")
            yield words(left - 8, down + 4, label, anchor="end")
        yield line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, "#555")
        yield line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "#555")
        yield words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, self.x.title, anchor="middle")
        middle = (TOP + HEIGHT - BOTTOM) / 2
        yield words(18, middle, self.y.title, anchor="middle", turn=True)
        if self.limit:
            value, label = self.limit
            left, down = self.place(self.x.low, value)
            yield line(left, down, WIDTH - RIGHT, down, "#b00020", dashes="6 4")
            yield words(LEFT + 10, down - 6, label, colour="#b00020")
        for curve in self.curves:
            yield from self.draw_curve(curve)
        yield from self.name_curves()

    def draw_curve(self, curve):
        places = [self.place(x, y) for x, y in curve.points]
        path = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
        yield f'<polyline points="{path}" fill="none" stroke="{curve.colour}" stroke-width="2"/>'
        for across, down in places:
            yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" fill="{curve.colour}"/>'

    def name_curves(self):
        """Each at the height of its last point, moved down where it would lie on the one above."""
        lowest = 0
        for curve in sorted(self.curves, key=self.end_of):
            lowest = max(self.end_of(curve), lowest + 16)
            yield words(WIDTH - RIGHT + 10, lowest + 4, curve.name, colour=curve.colour)

    def end_of(self, curve):
        return self.place(*curve.points[-1])[1]


def line(x1, y1, x2, y2, colour, dashes=None):
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashed}/>'


def words(x, y, text, size=12, anchor="start", colour="#222", weight="normal", turn=False):
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
        f' font-weight="{weight}"{turned}>{escape(text)}</text>'
    )


def drawing(panels):
    """The panels below one another on a light ground, as text of an SVG file."""
    height = HEIGHT * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' font-family="system-ui, sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fcfcfa"/>',
    ]
    for number, panel in enumerate(panels):
        parts += [f'<g transform="translate(0 {number * HEIGHT})">', *panel.draw(), "</g>"]
    return "\n".join([*parts, "</svg>", ""])
