"""A picture (SVG) of time by pass and of memory over time, of both linkers on the same scales."""
import math
import statistics
from xml.sax.saxutils import escape

import passes

# Told apart by lightness, too, for those who don't see the colours.
COLOURS = {"cmd/link": "#d9822b", "aotlink": "#1f5fa8"}
INK, FAINT = "#222222", "#d8d8d8"
WIDTH, LEFT, RIGHT = 920, 190, 40
ROW, BAR = 30, 11
MEMORY_HEIGHT = 300
MOST_PASSES = 14


class Svg:
    """Shapes in the order in which they are drawn."""

    def __init__(self):
        self.shapes = []

    def text(self, x, y, text, anchor="start", size=13, colour=INK, weight="normal"):
        style = f'text-anchor="{anchor}" font-size="{size}" fill="{colour}" font-weight="{weight}"'
        self.shapes.append(f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, colour=FAINT, width=1):
        self.shapes.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>')

    def box(self, x, y, width, height, colour):
        self.shapes.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height}" fill="{colour}"/>')

    def path(self, points, colour, dashes=None):
        commands = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        style = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.shapes.append(f'<polyline points="{commands}" fill="none" stroke="{colour}" stroke-width="2"{style}/>')

    def area(self, points, colour):
        commands = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.shapes.append(f'<polygon points="{commands}" fill="{colour}" fill-opacity="0.15"/>')

    def document(self, height):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}" '
                'font-family="DejaVu Sans, Verdana, sans-serif">\n'
                f'<rect width="{WIDTH}" height="{height:.0f}" fill="white"/>\n' + "\n".join(self.shapes) + "\n</svg>\n")


def ticks(most):
    """Round numbers from 0 to MOST, nine at most."""
    power = 10 ** math.floor(math.log10(most) - 1)
    step = next(power * factor for factor in (1, 2, 5, 10, 20, 50) if most <= 8 * power * factor)
    return [index * step for index in range(int(most / step) + 1)]


def thinned(points):
    """One point for each step of two pixels: the highest, so that no peak is lost."""
    highest = {}
    for x, y in points:
        column = int(x / 2)
        if column not in highest or y < highest[column][1]:
            highest[column] = (x, y)
    return list(highest.values())


def middle(runs):
    """The run whose time is the median."""
    return sorted(runs, key=lambda run: run.wall)[(len(runs) - 1) // 2]


def chosen_passes(times):
    """The longest passes of either linker in their order, and the sum of all others."""
    # A median of its own, TotalTime is not the sum of these.
    names = list(dict.fromkeys(name for one in times.values() for name in one if name != "TotalTime"))
    longest = sorted(names, key=lambda name: -max(one.get(name, 0) for one in times.values()))[:MOST_PASSES]
    order = list(next(iter(times.values())))
    kept = sorted(longest, key=lambda name: order.index(name) if name in order else len(order))
    rows = [(name, {linker: one.get(name, 0) for linker, one in times.items()}) for name in kept]
    rest = {linker: sum(one.get(name, 0) for name in names if name not in kept) for linker, one in times.items()}
    return [*rows, ("all others", rest)]


def legend(svg, y):
    x = LEFT
    for linker, colour in COLOURS.items():
        svg.box(x, y - 10, 22, 11, colour)
        svg.text(x + 28, y, linker)
        x += 130


def draw_passes(svg, top, series):
    times = {linker: passes.medians(runs) for linker, runs in series.items()}
    rows = chosen_passes(times)
    most = max(max(values.values()) for _, values in rows)
    scale = (WIDTH - LEFT - RIGHT - 50) / most
    bottom = top + ROW * len(rows)
    for tick in ticks(most):
        svg.line(LEFT + tick * scale, top, LEFT + tick * scale, bottom)
        svg.text(LEFT + tick * scale, bottom + 17, f"{tick:,g}", "middle", 12)
    svg.text(LEFT + most * scale / 2, bottom + 36, "milliseconds", "middle", 12)
    for index, (name, values) in enumerate(rows):
        y = top + ROW * index + 3
        svg.text(LEFT - 8, y + BAR + 5, name, "end", 12)
        for bar, (linker, value) in enumerate(values.items()):
            svg.box(LEFT, y + bar * (BAR + 1), value * scale, BAR, COLOURS[linker])
            svg.text(LEFT + value * scale + 5, y + bar * (BAR + 1) + 9.5, f"{value:.0f}", size=10)
    svg.line(LEFT, top, LEFT, bottom, INK)
    return bottom + 36


def draw_memory(svg, top, series):
    runs = {linker: middle(all_runs) for linker, all_runs in series.items()}
    seconds = max(run.wall for run in runs.values())
    most = max(sample.private + sample.mapped for run in runs.values() for sample in run.samples) / 1e6
    across, down = (WIDTH - LEFT - RIGHT) / seconds, MEMORY_HEIGHT / (most * 1.05)
    bottom = top + MEMORY_HEIGHT
    for tick in ticks(most):
        svg.line(LEFT, bottom - tick * down, WIDTH - RIGHT, bottom - tick * down)
        svg.text(LEFT - 8, bottom - tick * down + 4, f"{tick:,g}", "end", 12)
    for tick in ticks(seconds):
        svg.line(LEFT + tick * across, bottom, LEFT + tick * across, bottom + 5, INK)
        svg.text(LEFT + tick * across, bottom + 19, f"{tick:,g}", "middle", 12)
    svg.text((LEFT + WIDTH - RIGHT) / 2, bottom + 38, "seconds since the start", "middle", 12)
    svg.text(LEFT - 62, bottom - MEMORY_HEIGHT / 2, "MB", "end", 12)
    for linker, run in runs.items():
        def curve(figure, run=run):
            points = [(LEFT + sample.seconds * across, bottom - figure(sample) / 1e6 * down) for sample in run.samples]
            return [(LEFT, bottom), *thinned(points), (LEFT + run.wall * across, bottom)]

        private, resident = curve(lambda sample: sample.private), curve(lambda sample: sample.private + sample.mapped)
        svg.area(private, COLOURS[linker])
        svg.path(private, COLOURS[linker])
        svg.path(resident, COLOURS[linker], "5 4")
    svg.line(LEFT, bottom, WIDTH - RIGHT, bottom, INK)
    svg.line(LEFT, top, LEFT, bottom, INK)
    return bottom + 38


def picture(name, machine, series):
    """SERIES has the runs of each linker, made with -benchmark=cpu."""
    svg = Svg()
    counts = {len(runs) for runs in series.values()}
    release, _, program = name.rpartition("/")
    svg.text(20, 30, f"Linking {program} of Go {release}", size=17, weight="bold")
    svg.text(20, 50, machine, size=11)
    svg.text(20, 82, f"Time by pass, as each linker reports it (-benchmark=cpu): wall, medians of {max(counts)} runs", size=14, weight="bold")
    legend(svg, 104)
    y = draw_passes(svg, 116, series) + 44
    totals = {linker: statistics.median(run.wall for run in runs) for linker, runs in series.items()}
    peaks = {linker: statistics.median(run.private for run in runs) / 1e6 for linker, runs in series.items()}
    svg.text(20, y, "Memory over time, in the run of median length", size=14, weight="bold")
    x = LEFT
    for linker in series:
        svg.box(x, y + 12, 22, 11, COLOURS[linker])
        svg.text(x + 28, y + 22, f"{linker}: {totals[linker]:.2f} s, private {peaks[linker]:.0f} MB at most")
        x += 345
    svg.text(LEFT, y + 42, "Solid, filled: private memory (RssAnon). Dashed: with resident pages of mapped files, inputs and output.", size=12)
    bottom = draw_memory(svg, y + 58, series)
    return svg.document(bottom + 20)
