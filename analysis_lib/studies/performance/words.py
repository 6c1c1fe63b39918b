"""Measurements of speed for people: tables side by side, and sentences."""

import pandas as pd

from analysis_lib.studies.performance.tables import growth_exponents


def duration(seconds: float) -> str:
    """Return a time to three digits, in a unit that fits.

    >>> duration(0.01412), duration(0.1), duration(95), duration(7.2e-5)
    ('14.1 ms', '100 ms', '95.0 s', '0.0720 ms')
    """
    value, unit = (seconds, "s") if seconds >= 0.9995 else (1000 * seconds, "ms")
    return f"{f'{value:#.3g}'.rstrip('.')} {unit}"


def ratio(times: float, measured_on_all: bool = True) -> str:
    """Return how many times as long something takes; a star if it was measured on a part.

    >>> ratio(83.4), ratio(8.21), ratio(111, False)
    ('83x', '8.2x', '111x*')
    """
    return f"{times:.{0 if times >= 9.95 else 1}f}x{'' if measured_on_all else '*'}"


def speed_overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each shape: our time, the floor's, its share, and the peers' ratios to us.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.performance.tables.speed_table`.
    """
    rows = []
    for (frames, features), part in table.groupby(["frames", "features"], sort=False):
        floor, ours, *others = part.to_dict("records")
        row = {
            "frames x features": f"{frames} x {features}",
            ours["method"]: duration(ours["seconds"]),
            "floor": duration(floor["seconds"]),
            "of floor": f"{ours['of_floor']:.2f}",
        }
        row |= {m["method"]: ratio(m["times"], m["measured"] == m["clips"]) for m in others}
        rows.append(row)
    return pd.DataFrame(rows).set_index("frames x features")


def nnk_overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each kernel, size and number of candidates: our time, the peers' ratios.

    The excess of a peer is by how much its objective lies above ours, at the worst node.
    """
    rows = []
    keys = ["kernel", "nodes", "candidates"]
    for case, part in table.groupby(keys, sort=False):
        ours, *others = part.to_dict("records")
        rows.append(
            {
                **dict(zip(keys, case, strict=True)),
                ours["method"]: duration(ours["seconds"]),
                **{m["method"]: ratio(m["times"]) for m in others},
                **{f"excess, {m['method']}": f"{m['above']:.1e}" for m in others},
                "nodes with a ridge": ours["ridged"],
                "KKT": f"{ours['violation']:.1e}",
            }
        )
    return pd.DataFrame(rows).set_index(keys)


def growth_overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each number of clips: both times, and the share of pairs computed."""
    rows = []
    for clips, part in table.groupby("clips", sort=False):
        ours = part.iloc[0]
        times = {m: duration(s) for m, s in zip(part["method"], part["seconds"], strict=True)}
        rows.append(
            {"clips": clips, **times, "pairs": f"{ours['pairs']:,}", "computed": f"{100 * ours['share']:.1f} %"}
        )
    return pd.DataFrame(rows).set_index("clips")


def machine_sentence(record: dict) -> str:
    """Return on what the record was made, in one sentence."""
    machine = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    trial = " A trial with few clips (--quick), not a measurement." if record["quick"] else ""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['blas']}, {machine['date']}, "
        f"code {machine['code']}; {versions}.{trial}"
    )


def speed_sentence(table: pd.DataFrame) -> str:
    """Return how near to the floor we are, and how far the peers are, in one sentence."""
    ours = table[table["method"] == table["method"].iloc[1]]
    shares = ours["of_floor"]
    peers = table[~table["method"].str.startswith(("floor", ours["method"].iloc[0]))]
    sentence = (
        f"All pairs of {ours['clips'].iloc[0]} clips take {duration(ours['seconds'].min())} to "
        f"{duration(ours['seconds'].max())}, depending on the shape; the least that this machine "
        f"could need is {shares.min():.2f} to {shares.max():.2f} of that."
    )
    if len(peers):
        least, most = (peers["times"].agg(f) for f in ("min", "max"))
        sentence += (
            f" The other libraries take {ratio(least)} (the fastest, {_where(peers, least)}) to "
            f"{ratio(most)} ({_where(peers, most)}) as long."
        )
    return sentence


def _where(table: pd.DataFrame, times: float) -> str:
    row = table[table["times"] == times].iloc[0]
    return f"{row['method']} at {row['frames']} x {row['features']}"


def growth_sentence(table: pd.DataFrame) -> str:
    """Return how the cost of the k nearest grows, beside that of the whole matrix."""
    slopes = growth_exponents(table)
    ours = table[table["method"] == slopes.index[0]]
    grown = " and ".join(f"n^{slope:.2f} ({method})" for method, slope in slopes.items())
    return (
        f"From {ours['clips'].min():,} to {ours['clips'].max():,} clips the time grows as {grown}; "
        f"of all pairs, {100 * ours['share'].max():.1f} % to {100 * ours['share'].min():.1f} % "
        f"had to be computed for the {ours['neighbours'].iloc[0]} nearest."
    )
