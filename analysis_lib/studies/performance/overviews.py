"""The tables of `analysis_lib.studies.performance.tables` side by side, for people: a column a method.

Our time stands there in full, the others' with "×": how many times as long as ours. A star marks what was measured on
a part of the clips.
"""

import pandas as pd

from analysis_lib.words import duration, number, percent, plain, ratio


def speed_overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each shape, with the floor and its share."""
    rows = []
    for (frames, features), part in table.groupby(["frames", "features"], sort=False):
        floor, ours, *others = part.to_dict("records")
        row = {"frames × features": f"{frames} × {features}", ours["method"]: duration(ours["seconds"])}
        row |= {"floor": duration(floor["seconds"]), "floor, of ours": percent(ours["of_floor"])}
        stars = {m["method"]: "" if m["measured"] == m["clips"] else "*" for m in others}
        rows.append(row | {m["method"]: ratio(m["times"]) + stars[m["method"]] for m in others})
    return pd.DataFrame(rows).set_index("frames × features")


def nnk_overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each kernel, size and number of candidates, with what the kernel is like.

    The excess of a peer is by how much its objective lies above ours, at the worst node.
    """
    rows, keys = [], ["kernel", "nodes", "candidates"]
    for case, part in table.groupby(keys, sort=False):
        ours, *others = part.to_dict("records")
        row = dict(zip(keys, case, strict=True)) | {ours["method"]: duration(ours["seconds"])}
        row |= {m["method"]: ratio(m["times"]) for m in others}
        row |= {f"excess, {m['method']}": plain(float(f"{m['above']:.1e}")) for m in others}
        rows.append(row | {"nodes with a ridge": ours["ridged"], "KKT": plain(float(f"{ours['violation']:.1e}"))})
    return pd.DataFrame(rows).set_index(keys)


def values_overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for one class and one for all: times to our standard error."""
    rows = []
    for what, part in table.groupby("explained", sort=False):
        ours, *others = part.to_dict("records")
        times = {m["method"]: ratio(m["times"]) for m in others}
        rows.append({"explained": what, ours["method"]: duration(ours["seconds"]), **times})
    return pd.DataFrame(rows).set_index("explained")


def growth_overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each number of clips: the times, and the share of pairs computed."""
    rows = []
    for clips, part in table.groupby("clips", sort=False):
        times = {m: duration(s) for m, s in zip(part["method"], part["seconds"], strict=True)}
        pairs, share = part[["pairs", "share"]].iloc[0]
        rows.append({"clips": clips, **times, "pairs": number(pairs, 0), "computed": percent(share)})
    return pd.DataFrame(rows).set_index("clips")
