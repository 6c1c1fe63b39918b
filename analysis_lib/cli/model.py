"""The command ``stgbook model``: a look at a network."""

import click

from analysis_lib.cli.options import data_root


@click.group()
def model() -> None:
    """Look at a network."""


@model.command()
@click.argument("name", metavar="NAME|PATH|MODULE:FACTORY")
@click.option("--dataset", default="synthetic", show_default=True, metavar="NAME|PATH", help="What it is built for.")
@click.option("--architecture", default="", metavar="NAME", help="Network whose weights a .pt file holds.")
@data_root
def describe(name, dataset, architecture, data_root) -> None:
    """List a network's modules: what each gives, and whether it can serve as a layer.

    Those that you choose are given to a chapter by -p layers "a,b,c"; of a module whose axes can be read in
    several ways (n clips, m bodies, c channels, t frames, v joints) -p layer_axes says which is right.

    \b
    stgbook model describe nw-ucla --dataset nw-ucla
    stgbook model describe nets.py:make --dataset mine.npz
    """
    from analysis_lib.datasets.catalogue import load_dataset
    from analysis_lib.networks.axes import named_axes
    from analysis_lib.networks.checkpoints import clip_shape, load_network
    from analysis_lib.networks.modules import module_table

    data = load_dataset(dataset, str(data_root or ""))
    network = load_network(name, data, architecture)
    shape = clip_shape(data, network.preprocessing)
    named = named_axes(getattr(network.model, "layer_axes", None), network.layers)
    table = module_table(network.model, shape, named, network.layers)
    click.echo(f"{network.name}: {type(network.model).__name__}, for clips of (C, T, V, M) = {shape}")
    click.echo(table.to_string(index=False, justify="left", max_colwidth=60))
