"""The command ``stgbook data``: a look at the raw data, and recordings made into a dataset."""

from pathlib import Path

import click

from analysis_lib.cli.options import data_root, say
from analysis_lib.errors import DataError, UserError


@click.group()
def data() -> None:
    """Look at datasets, and make one of recordings."""


@data.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@data_root
def check(names, data_root) -> None:
    """Check that datasets are what their manifests promise (default: all that are there).

    \b
    stgbook data check
    stgbook data check nw-ucla --data-root ~/data
    """
    from analysis_lib.datasets import catalogue

    root = str(data_root or "")
    if not names:
        names = catalogue.available(root)
        absent = [name for name in catalogue.dataset_names() if name not in names]
        if absent:
            say(f"not there: {', '.join(absent)} (check one by name to see where to get it)")
    failed = 0
    for name in names:
        try:
            click.echo(catalogue.check(name, root))
        except DataError as error:
            failed += say(f"error: {error}", 1)
    if failed:
        raise UserError(f"{failed} of {len(names)} datasets are missing or damaged")


@data.command()
@click.argument("dataset", metavar="NAME|PATH")
@data_root
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the skeleton is drawn, with the names of its joints; .png or .svg. Default: in _build/pictures.",
)
def describe(dataset, data_root, picture) -> None:
    """Tell what a dataset holds, and draw its skeleton.

    \b
    stgbook data describe synthetic
    stgbook data describe keypoints.csv --picture skeleton.svg
    """
    import matplotlib

    matplotlib.use("agg")
    from analysis_lib.datasets.catalogue import load_dataset
    from analysis_lib.datasets.summary import described
    from analysis_lib.datasets.upright import mean_pose
    from analysis_lib.files import BUILD, atomic_path, plain_name
    from analysis_lib.plots.skeleton import named_skeleton

    found = load_dataset(dataset, data_root)
    click.echo(described(found))
    if picture is None:
        name = plain_name(found.name, "the dataset's name, which its picture would have,")
        picture = BUILD / "pictures" / f"{name}.png"
    if picture.suffix.lower() not in (".png", ".svg"):
        raise UserError(f"the picture is written as .png or .svg, got {picture.name}")
    figure = named_skeleton(found.skeleton, mean_pose(found))
    with atomic_path(picture) as temporary:
        figure.savefig(temporary, dpi=150)
    click.echo(f"picture: {click.format_filename(picture)}")


@data.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE.npz",
    help="Where the dataset is written.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Table with the columns clip, label and, if you like, subject, split, rate. Default: labels.csv in FOLDER.",
)
@click.option("--rate", type=float, metavar="HZ", help="Frames a second of recordings that do not say.")
def infants(folder, output, labels, rate) -> None:
    """Cut recordings of infants into windows for the chapter infants; no medical device.

    FOLDER has a .csv or .npz for each recording of 5 s or more, 29 key points a frame (layout infant-29), in pixels,
    empty or NaN where a point was not seen, and labels.csv: clip is the name of a recording's file without its ending,
    label is 1 with, 0 without fidgety movements. A .csv has the columns nose_x, nose_y, ... or frame, joint, x, y.

    \b
    stgbook data infants recordings/ --rate 30 -o mine.npz
    stgbook run infants -p dataset mine.npz
    """
    from analysis_lib.datasets.readers.infant_recordings import read_infants
    from analysis_lib.datasets.summary import described

    if output.suffix.lower() != ".npz":
        raise UserError(f"the dataset is written as .npz, got {output.name}")
    found = read_infants(folder, labels, rate)
    found.save(output)
    click.echo(described(found))
    click.echo(f"dataset: {click.format_filename(output)}; what the book says of it is no medical finding")
