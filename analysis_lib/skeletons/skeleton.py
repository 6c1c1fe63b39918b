"""Skeletons: which joints a body has, and which of them are connected.

A layout is data. Everything that depends on the joints (adjacency, partitions, drawing, body
parts) is a function of a `Skeleton`, so a new sensor needs a table here and no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from scipy.sparse.csgraph import shortest_path

from analysis_lib.errors import UserError, unknown_choice

Edge = tuple[int, int]

MOST_JOINTS = 1000


@dataclass(frozen=True)
class Skeleton:
    """Joints of a body and the bones between them; all indices are 0-based.

    Attributes
    ----------
    name : str
        Layout name, such as ``"ntu-25"``.
    joints : tuple of str, length V
    edges : tuple of (child, parent)
        Undirected bones; written child first, toward the centre, as the directed variants need it.
    centre : int
        Joint from which hop distances are counted (the ``spatial`` partition).
    parts : mapping of str to tuple of int
        Disjoint body parts that cover all joints.
    pairs : tuple of (left, right)
        Joints that a mirror exchanges.
    source : str
        Where the table was published.
    variants : mapping of str to edges
        Other published edge lists of the same joints (see `with_edges`).

    Raises
    ------
    UserError
        If an index is out of range, the parts overlap or leave joints out, or an edge is a loop.

    Examples
    --------
    >>> s = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)), centre=2)
    >>> s.n_joints, s.hop_distance[0].tolist()
    (3, [0.0, 1.0, 2.0])
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[Edge, ...]
    centre: int = 0
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    pairs: tuple[Edge, ...] = ()
    source: str = ""
    variants: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        def plain(pairs):
            return tuple((int(a), int(b)) for a, b in pairs)

        object.__setattr__(self, "joints", tuple(map(str, self.joints)))
        object.__setattr__(self, "edges", plain(self.edges))
        object.__setattr__(self, "pairs", plain(self.pairs))
        object.__setattr__(self, "centre", int(self.centre))
        parts = {k: tuple(map(int, v)) for k, v in (self.parts or {"body": range(self.n_joints)}).items()}
        object.__setattr__(self, "parts", MappingProxyType(parts))
        object.__setattr__(self, "variants", MappingProxyType({k: plain(v) for k, v in self.variants.items()}))
        self._check()

    def _check(self) -> None:
        """Refuse a table that no body could have."""
        if len(self.joints) > MOST_JOINTS:
            raise UserError(f"skeleton '{self.name}' has {len(self.joints)} joints, more than {MOST_JOINTS}")
        lists = [self.edges, self.pairs, *self.variants.values()]
        indices = [v for edges in lists for edge in edges for v in edge] + [self.centre]
        if not self.joints:
            raise UserError(f"skeleton '{self.name}' has no joints")
        if twice := [name for name in self.joints if self.joints.count(name) > 1]:
            raise UserError(f"skeleton '{self.name}' has two joints called '{twice[0]}'; give each a name of its own")
        if bad := [v for v in indices if not 0 <= v < self.n_joints]:
            from_one = min((v for e in self.edges for v in e), default=0) == 1 and set(bad) == {self.n_joints}
            raise UserError(
                f"skeleton '{self.name}' has joints 0..{self.n_joints - 1}, "
                f"but its edges, pairs or centre name joint {bad[0]}"
                f"{'; do the edges count from 1? subtract 1' if from_one else ''}"
            )
        if loops := [e for e in self.edges if e[0] == e[1]]:
            raise UserError(f"skeleton '{self.name}': edge {loops[0]} joins a joint to itself")
        covered = sorted(v for part in self.parts.values() for v in part)
        if covered != list(range(self.n_joints)):
            raise UserError(f"skeleton '{self.name}': the parts must name every joint exactly once")

    @property
    def n_joints(self) -> int:
        """Number of joints V."""
        return len(self.joints)

    @property
    def parents(self) -> tuple[int, ...]:
        """Bone partner of each joint, shape (V,): its first parent in ``edges``, itself for a root."""
        parents = list(range(self.n_joints))
        for child, parent in reversed(self.edges):
            parents[child] = parent
        return tuple(parents)

    @property
    def hop_distance(self) -> np.ndarray:
        """Number of bones on the shortest path between joints, shape (V, V); inf if there is none."""
        adjacency = np.zeros((self.n_joints, self.n_joints))
        for a, b in self.edges:
            adjacency[a, b] = adjacency[b, a] = 1
        return shortest_path(adjacency, unweighted=True, directed=False)

    def joint(self, name: str) -> int:
        """Return the index of a joint, given its name."""
        if name not in self.joints:
            raise unknown_choice(f"joint of '{self.name}'", name, self.joints)
        return self.joints.index(name)

    def with_edges(self, variant: str) -> "Skeleton":
        """Return the same joints under another published edge list (a key of ``variants``)."""
        if variant not in self.variants:
            raise unknown_choice(f"edge list of '{self.name}'", variant, self.variants)
        return replace(self, edges=self.variants[variant], source=f"{self.source}; edges: {variant}")

    def to_dict(self) -> dict:
        """Return plain containers that JSON can hold; `from_dict` is the inverse."""
        table = {
            "name": self.name,
            "joints": list(self.joints),
            "edges": [list(e) for e in self.edges],
            "centre": self.centre,
            "parts": {k: list(v) for k, v in self.parts.items()},
            "pairs": [list(p) for p in self.pairs],
            "source": self.source,
        }
        if self.variants:
            table["variants"] = {k: [list(e) for e in v] for k, v in self.variants.items()}
        return table

    @classmethod
    def from_dict(cls, table: Mapping) -> "Skeleton":
        """Return the skeleton that `to_dict` wrote."""
        return cls(**table)
