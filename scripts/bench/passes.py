"""Times of passes, as both linkers print them for -benchmark=cpu, and how they grow with the program."""
import re
import statistics

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


def growth(captures, ours, theirs):
    """
    Lines of Markdown: aotlink's time for each pass on each program, from the smallest to the largest, how much longer the largest takes
    than the smallest, and how much longer cmd/link takes for it. OURS and THEIRS are the passes of each program.
    """
    yield "| | " + " | ".join(capture.name for capture in captures) + " | last ÷ first | cmd/link: last ÷ first |"
    yield "|---" * (3 + len(captures)) + "|"
    inputs = [capture.input_bytes() / 1e6 for capture in captures]
    outputs = [capture.output_bytes() / 1e6 for capture in captures]
    yield row("archives, MB", inputs, inputs[-1] / inputs[0])
    yield row("output, MB", outputs, outputs[-1] / outputs[0])
    limit = max(inputs[-1] / inputs[0], outputs[-1] / outputs[0])
    faster = []
    for name in ours[-1]:
        values = [passes.get(name, 0) for passes in ours]
        if values[-1] < SHORTEST_MS:
            continue
        factor = ratio(values[0], values[-1])
        yield row("all passes, ms" if name == "TotalTime" else f"{name}, ms", values, factor, ratio(theirs[0].get(name), theirs[-1].get(name)))
        if factor and factor > limit:
            faster.append(f"{name} ({factor:.0f} times)")
    yield ""
    yield f"Grew faster than both archives and output: {', '.join(faster) if faster else 'no pass'}."


def ratio(first, last):
    return last / first if first and last else None


def row(label, values, *factors):
    cells = [*(f"{value:.1f}" for value in values), *("–" if factor is None else f"{factor:.1f}" for factor in factors)]
    return "| " + " | ".join([label, *cells, *[""] * (2 - len(factors))]) + " |"
