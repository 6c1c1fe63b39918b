"""The library behind the book: skeleton data, networks, and the geometry of what they learn.

Nothing is imported here, so that ``import analysis_lib`` is instant and no module sits in a cycle.
Import from the module that you need: ``from analysis_lib.geometry.smoothness import label_smoothness``.
"""

__version__ = "0.1.0"
