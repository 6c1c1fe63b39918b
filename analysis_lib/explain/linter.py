"""Which parts of a network make DeepLIFT inexact, found before anything is explained.

DeepLIFT swaps the gradient of an activation for a ratio of differences. It can do so only where the activation
is a module for which there is such a rule, called once a pass. Anything else that is not affine gets its plain
gradient: the attributions no longer add up to the difference of the scores, and nobody says so.

References
----------
Shrikumar, Greenside & Kundaje (2017), DeepLIFT; Lundberg & Lee (2017), its average over a background. The rules
are those of captum 0.9.
"""

import copy
import re
from collections import Counter

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from analysis_lib.networks.hooks import evaluating

#: modules for which there is a rule
RULES = (
    *(nn.ReLU, nn.ELU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Softmax),
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d),
)
#: operations of the autograd graph that are affine in all that they are given
_AFFINE = re.compile(
    r"(Add|Sub|Rsub|Neg|Sum|Mean|View|UnsafeView|ReshapeAlias|Permute|Transpose|T|Expand|Repeat|Slice|Select|Index|"
    r"IndexSelect|Gather|Split|SplitWithSizes|SafeSplit|UnsafeSplit|Chunk|Unbind|Cat|Stack|Clone|Alias|AsStrided|Copy|"
    r"ToCopy|Squeeze|Unsqueeze|Unfold|Flip|Roll|Diagonal|ConstantPadNd|Where|MaskedFill|CumSum|Convolution|"
    r"MkldnnConvolution|CudnnConvolution|NativeBatchNorm|CudnnBatchNorm|AvgPool\dD|AdaptiveAvgPool\dD|"
    r"MkldnnAdaptiveAvgPool\dD|UpsampleLinear1D|Identity)Backward\d*|AccumulateGrad"
)
#: those that are affine in each factor, so in x where x is in one of them alone; of some the first argument is added
_BILINEAR = re.compile(r"(Mul|Mm|Bmm|Addmm|Baddbmm|Addmv|Mv|Dot|Einsum|Linear|MkldnnLinear|Trilinear)Backward\d*")
#: the first argument may hold x, the second not
_QUOTIENT = re.compile(r"DivBackward\d*")


def inexact(model: nn.Module, x: np.ndarray | Tensor) -> pd.DataFrame:
    """Return every operation of a network for which DeepLIFT has no rule; none means that it is exact.

    One pass is watched: each operation that autograd notes is either affine in what depends on the clip,
    or the work of a module with a rule that is called once, or a row of the table.

    Parameters
    ----------
    model : nn.Module
    x : (N, ...) array
        One clip is enough.

    Returns
    -------
    DataFrame
        Columns module (innermost, "" is the network itself), operation, why.

    Examples
    --------
    >>> act = nn.ReLU()
    >>> inexact(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), np.ones((1, 2), np.float32)).empty
    True
    >>> inexact(nn.Sequential(nn.Linear(2, 2), act, nn.Linear(2, 2), act), np.ones((1, 2), np.float32)).why.tolist()
    ['the same module is called 2 times']
    >>> inexact(nn.Sequential(nn.Linear(2, 2), nn.SiLU()), np.ones((1, 2), np.float32)).values.tolist()
    [['1', 'SiLU', 'there is no rule for this module']]
    """
    model = copy.deepcopy(model).requires_grad_(False)
    watch = _Watch()
    names = {module: name for name, module in model.named_modules()}
    for module in names:
        module.register_forward_pre_hook(watch.enter)
        module.register_forward_hook(watch.leave)
    leaf = torch.as_tensor(x).detach().clone().requires_grad_()
    with torch.enable_grad(), evaluating(model), watch:
        model(leaf.clone())
    rows = {}
    for module, node in watch.nodes:
        why = _fault(module, node, watch.calls[module])
        if why is not None:
            kind = type(module).__name__ if why.startswith(("there is no rule", "the same")) else _plain(node)
            rows[names[module], kind, why] = None
    return pd.DataFrame(list(rows), columns=["module", "operation", "why"])


class _Watch(TorchFunctionMode):
    """Notes every new node of the autograd graph beside the innermost module that is at work."""

    def __init__(self):
        super().__init__()
        self.stack, self.calls = [], Counter()
        self.nodes, self.seen = [], set()

    def enter(self, module, args):
        self.stack.append(module)
        self.calls[module] += 1

    def leave(self, module, args, output):
        self.stack.pop()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        if self.stack:
            waiting = [t.grad_fn for t in (output if isinstance(output, tuple | list) else [output]) if _tracked(t)]
            while waiting:
                node = waiting.pop()
                if node not in self.seen:
                    self.seen.add(node)
                    self.nodes.append((self.stack[-1], node))
                    waiting += [parent for parent, _ in node.next_functions if parent is not None]
        return output


def _tracked(value: object) -> bool:
    return isinstance(value, Tensor) and value.grad_fn is not None


def _plain(node) -> str:
    return re.sub(r"Backward\d*$", "", node.name()).lower()


def _fault(module: nn.Module, node, calls: int) -> str | None:
    """Return why an operation is beyond DeepLIFT, None if it is not."""
    name = node.name().rsplit("::", 1)[-1]
    if _AFFINE.fullmatch(name):
        return None
    given = [parent is not None for parent, _ in node.next_functions]
    if _BILINEAR.fullmatch(name):
        factors = given[1:] if name.startswith(("Add", "Badd")) else given
        return None if sum(factors) < 2 else "a product of two things that both depend on the clip"
    if _QUOTIENT.fullmatch(name):
        return None if not given[-1] or len(given) < 2 else "a quotient whose divisor depends on the clip"
    if isinstance(module, RULES):
        return None if calls == 1 else f"the same module is called {calls} times"
    if type(module).__module__.startswith("torch.nn.modules"):
        return "there is no rule for this module"
    return "a function, not a module of its own"
