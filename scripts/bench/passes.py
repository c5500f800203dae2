"""Times of passes, as both linkers print them for -benchmark=cpu, and how they grow with the program."""
import re
import statistics

from links import Capture

LINE = re.compile(r"^Benchmark(\w+) 1 (\d+) ns/op", re.MULTILINE)
FLAG = "-benchmark=cpu"


def times(run):
    """Pass -> milliseconds, in the order of the passes; the last is TotalTime."""
    return {name: int(nanoseconds) / 1e6 for name, nanoseconds in LINE.findall(run.text)}


def fastest(runs):
    """Each pass at its fastest, in milliseconds."""
    every = [times(run) for run in runs]
    return {name: min(one.get(name, 0) for one in every) for name in every[0]}


def medians(runs):
    every = [times(run) for run in runs]
    return {name: statistics.median(one.get(name, 0) for one in every) for name in every[0]}


# A pass that takes less than this on the largest program is too short to say how it grows.
SHORTEST_MS = 1.0


# What passes work on. None of these is the input of every pass: code matters to most, types to those that follow them.
INPUTS = {
    "archives": Capture.input_bytes,
    "output": Capture.output_bytes,
    "code": lambda capture: capture.section_bytes(".text"),
    "types": lambda capture: capture.section_bytes(".go.type"),
}


def growth(captures, ours, theirs):
    """
    Lines of Markdown: aotlink's time for each pass on each program, from the smallest to the largest, how much longer the largest takes
    than the smallest, how much longer cmd/link takes for it, and what grew less. OURS and THEIRS are the passes of each program.
    """
    yield "| | " + " | ".join(capture.name for capture in captures) + " | last ÷ first | cmd/link: last ÷ first | outgrew |"
    yield "|---" * (4 + len(captures)) + "|"
    grown = {}
    for name, size in INPUTS.items():
        values = [size(capture) / 1e6 for capture in captures]
        if all(values):
            grown[name] = values[-1] / values[0]
            yield row(f"{name}, MB", values, grown[name], None, "")
    outgrew_all = []
    for name in ours[-1]:
        values = [passes.get(name, 0) for passes in ours]
        if values[-1] < SHORTEST_MS:
            continue
        factor = ratio(values[0], values[-1])
        outgrown = [what for what, limit in grown.items() if factor and factor > limit]
        label = "all passes" if name == "TotalTime" else name
        yield row(f"{label}, ms", values, factor, ratio(theirs[0].get(name), theirs[-1].get(name)), ", ".join(outgrown))
        if len(outgrown) == len(grown):
            outgrew_all.append(label)
    yield ""
    yield f"Grew faster than each of {', '.join(grown)}: {', '.join(outgrew_all) if outgrew_all else 'no pass'}."


def ratio(first, last):
    return last / first if first and last else None


def row(label, values, ours, theirs, outgrown):
    factors = ["–" if factor is None else f"{factor:.1f}" for factor in (ours, theirs)]
    return "| " + " | ".join([label, *(f"{value:.1f}" for value in values), *factors, outgrown]) + " |"
