"""How PyTorch writes each operation, out of place and, for temporaries that nobody else reads, in place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from actgen.numerics.kernel import Call
from actgen.targets.forms import ARITHMETIC, Form, Precedence, call, infix
from actgen.targets.polynomials import ERF_FAR_SINGLE, ERF_NEAR_SINGLE, EXPM1_SINGLE, LOG1P_SINGLE, TANH_SINGLE
from actgen.targets.statements import Piece, Printer

UNARY: Mapping[str, str] = {
    "absolute": "abs",
    "square": "square",
    "floor": "floor",
    "sqrt": "sqrt",
    "exp": "exp",
    "log": "log",
    "log1p": "log1p",
    "sigmoid": "sigmoid",
    "sinh": "sinh",
    "cosh": "cosh",
    "asinh": "asinh",
    "atan": "atan",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "erfc": "erfc",
}
"""Operations that are a function of torch and a method of Tensor, with a twin in place: `exp`, `exp_`."""

COMPARISONS: Mapping[str, str] = {
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "equal": "eq",
    "not_equal": "ne",
}
"""Comparisons as functions of torch, which can be told where to write what they find."""

FORMS: Mapping[str, Form] = {
    **ARITHMETIC,
    **{
        name: Form(f"_compare(torch.{function}, {{0}}, {{1}})", tensors=(0, 1))
        for name, function in COMPARISONS.items()
    },
    # Truth values are bools or 1.0 and 0.0, and these hold for both.
    "both": infix("*", Precedence.PRODUCT),
    "either": call("torch.maximum", 2),
    **{operation: call(f"torch.{method}", tensors=(0,)) for operation, method in UNARY.items()},
    # torch.sign(nan) is 0.
    "sign": Form("_or_nan({0}.sign(), {0})", operands=(Precedence.ATOM,), repeated=(0,)),
    "copysign": call("torch.copysign", 2, tensors=(0,)),
    "head": call("_head", tensors=(0,)),
    "binade": call("_binade", tensors=(0,)),
    "expm1": call("_expm1", tensors=(0,)),
    "log1p_near": call("_log1p_near", tensors=(0,)),
    "tanh": call("_tanh", tensors=(0,)),
    "erf": call("_erf", tensors=(0,)),
    "power": call("torch.pow", 2, tensors=(0, 1)),
    "maximum": call("torch.maximum", 2, tensors=(0, 1)),
    "minimum": call("torch.minimum", 2, tensors=(0, 1)),
    "clamp": call("torch.clamp", 3, tensors=(0,)),
    "select": call("_select", 3, tensors=(1, 2)),
}

EXPANSIONS: Mapping[str, str] = {
    "head": '''\
def _head(a: Tensor) -> Tensor:
    """a with the lower half of its digits cleared, so that the product of two such numbers is exact."""
    integer, kept = (torch.int64, -(1 << 27)) if a.dtype == torch.float64 else (torch.int32, -(1 << 12))
    return (a.view(integer) & kept).view(a.dtype)''',
    "binade": '''\
def _binade(a: Tensor) -> Tensor:
    """The largest power of 2 that is not above the size of a: all digits but the first cleared."""
    integer, kept = (torch.int64, 0x7FF0000000000000) if a.dtype == torch.float64 else (torch.int32, 0x7F800000)
    return (a.view(integer) & kept).view(a.dtype)''',
    "expm1": f'''\
def _expm1(a: Tensor) -> Tensor:
    """expm1; compiled for a CPU it is exp(a) - 1, which has no digits near 0 (PyTorch 2.13).

    Then it is a polynomial there, or in float64 (u - 1) a / log(u) with u = exp(a): what u is off by cancels.
    """
    if not (torch.compiler.is_compiling() and a.device.type == "cpu"):
        return a.expm1()
    u = a.exp()
    if a.dtype == torch.float32:
        near = a.clamp(-0.5, 0.5)
{EXPM1_SINGLE.statements("p", "near", 8)}
        return torch.where(a.abs() < 0.5, near * (1 + near * p), u - 1)
    held = u.clamp(2.0**-100, 2.0**100)
    growth = torch.where(u == 1, a, (held - 1) * (a / torch.where(u == 1, 2, held).log()))
    return torch.where(a.abs() < 30, growth, u - 1)''',
    "tanh": f'''\
def _tanh(a: Tensor) -> Tensor:
    """tanh; compiled for a CPU, in float32, a polynomial near 0 and exp, in half the time (PyTorch 2.13)."""
    if not (torch.compiler.is_compiling() and a.device.type == "cpu" and a.dtype == torch.float32):
        return a.tanh()
    near = a.clamp(-0.625, 0.625)
    s = near * near
{TANH_SINGLE.statements("p", "s")}
    t = (-2 * a.abs()).exp()
    return torch.where(a.abs() < 0.625, near * (1 + s * p), torch.copysign((1 - t) / (1 + t), a))''',
    "erf": f'''\
def _erf(a: Tensor) -> Tensor:
    """erf; compiled for a CPU in float32 it has no digits near 0 (PyTorch 2.13), in float64 it has.

    Then it is a polynomial there, and further out 1 - exp of one.
    """
    if not (torch.compiler.is_compiling() and a.device.type == "cpu" and a.dtype == torch.float32):
        return a.erf()
    near, far = a.clamp(-0.9375, 0.9375), a.abs().clamp(0.9375, 4)
    s = near * near
{ERF_NEAR_SINGLE.statements("p", "s")}
{ERF_FAR_SINGLE.statements("q", "far")}
    small = torch.where(a.abs() < 2.0**-60, 1.1283791670955126 * a, near + near * p)  # it may underflow
    return torch.where(a.abs() < 0.9375, small, torch.copysign(1 - (-far * q).exp(), a))''',
    "log1p_near": f'''\
def _log1p_near(a: Tensor) -> Tensor:
    """log1p of numbers from -1/2 to 1; compiled for a CPU, in float32, 2 atanh(z) of z = a / (2 + a)."""
    if not (torch.compiler.is_compiling() and a.device.type == "cpu" and a.dtype == torch.float32):
        return a.log1p()
    z = a / (2 + a)
    s = z * z
{LOG1P_SINGLE.statements("p", "s")}
    half = 0.5 * a * a
    return a - (half - z * (half + s * p))''',
    "is_plain": '''\
def _is_plain(x: Tensor) -> bool:
    """Whether x is many numbers on a CPU, with no gradient, transform or compiler around them."""
    return (
        not torch.compiler.is_compiling()
        and x.numel() >= 2**14
        and x.device.type == "cpu"
        and type(x) in (Tensor, nn.Parameter)
        and not (torch.is_grad_enabled() and x.requires_grad)
        and not torch._C._are_functorch_transforms_active()
        and torch.autograd.forward_ad._current_level < 0
    )''',
    "compare": '''\
def _compare(relation, a: Tensor, b: Tensor | float) -> Tensor:
    """Truth values: bools; of many numbers on a CPU 1.0 and 0.0, four times as fast (PyTorch 2.13)."""
    if torch.compiler.is_compiling():
        return _compare_compiled(relation, a, b) if isinstance(b, Tensor) else relation(a, b)
    large, small = (b, a) if isinstance(b, Tensor) and b.numel() > a.numel() else (a, b)
    if not _is_plain(large):
        return relation(a, b)
    if isinstance(small, Tensor):
        has_gradient = torch.is_grad_enabled() and small.requires_grad
        if has_gradient or torch.broadcast_shapes(small.shape, large.shape) != large.shape:
            return relation(a, b)
    return relation(a, b, out=torch.empty_like(large))''',
    "compare_compiled": '''\
def _compare_compiled(relation, a: Tensor, b: Tensor) -> Tensor:
    """Truth values from differences held against 0.

    A comparison of two tensors reads more than four times what it writes, which AOTAutograd takes for a reduction:
    bools are kept for the backward pass, and writing them takes ten times as long (PyTorch 2.13).
    """
    if relation is torch.lt or relation is torch.gt:
        low, high = (a, b) if relation is torch.lt else (b, a)
        return high - torch.minimum(low, high) > 0  # not so where both are infinite: nan
    if relation is torch.ne:
        return ~_compare_compiled(torch.eq, a, b)
    result = (a.abs() >= 0) & (b.abs() >= 0)  # neither is nan
    if relation is not torch.ge:
        result = result & ~_compare_compiled(torch.gt, a, b)
    if relation is not torch.le:
        result = result & ~_compare_compiled(torch.lt, a, b)
    return result''',
    "or_nan": '''\
def _or_nan(a: Tensor | float, x: Tensor) -> Tensor:
    """a, or nan where x is nan."""
    if torch.compiler.is_compiling():
        return torch.where(x.abs() >= 0, a, x)  # x == x would be kept for the backward pass
    return a - x.clamp(0, 0) if _is_plain(x) else torch.where(x == x, a, x)''',
    "select": '''\
def _select(condition: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    """torch.where; of many numbers on a CPU by their bits, which have no derivative.

    It takes a branch a number, and where that is hard to guess as long as forty products (PyTorch 2.13).
    """
    if condition.dtype == torch.bool:
        return torch.where(condition, a, b)
    like = a if isinstance(a, Tensor) else b
    a, b = (each if isinstance(each, Tensor) else like.new_full((), each) for each in (a, b))
    if torch.is_grad_enabled() and (a.requires_grad or b.requires_grad):
        return torch.where(condition > 0, a, b)
    integer = torch.int64 if like.dtype == torch.float64 else torch.int32
    bits = b.view(integer)
    differing = (a.view(integer) ^ bits).view(like.dtype)
    kept = torch.ops.aten.threshold_backward(differing, condition, 0)  # 0 where the condition does not hold
    return kept.view(integer).bitwise_xor_(bits).view(like.dtype)''',
}
"""Private functions in emitted PyTorch code, with their source."""

USES: Mapping[str, tuple[str, ...]] = {
    **{operation: (operation,) for operation in ("head", "binade", "expm1", "log1p_near", "tanh", "erf", "select")},
    **dict.fromkeys(COMPARISONS, ("is_plain", "compare", "compare_compiled")),
    "sign": ("is_plain", "or_nan"),
}
"""The private functions that an operation is written with."""

IN_PLACE: Mapping[str, str] = {
    **{operation: f"{method}_" for operation, method in UNARY.items()},
    "negate": "neg_",
    "add": "add_",
    "subtract": "sub_",
    "multiply": "mul_",
    "divide": "div_",
}
COMMUTATIVE = frozenset({"add", "multiply"})
_BOUND = {"maximum": "min", "minimum": "max"}


class TorchPrinter(Printer):
    """Prints kernels for torch.

    Args:
        reuse: whether a temporary with one reader may be overwritten by it. Only for kernels that autograd never
            differentiates through.
        reserved: names that steps must not take.
    """

    def __init__(self, *, reuse: bool, reserved: Iterable[str] = ()) -> None:
        super().__init__(FORMS, "torch", {"torch", *reserved})
        self.reuse = reuse
        self.expansions: set[str] = set()

    def literal(self, value: float) -> str:
        """Return a number as torch's operators take it: whole numbers without a point."""
        is_whole = math.isfinite(value) and value.is_integer() and abs(value) < 1e6
        is_negative_zero = value == 0 and math.copysign(1, value) < 0
        return str(int(value)) if is_whole and not is_negative_zero else super().literal(value)

    def tensor(self, literal: str, like: str) -> str:
        """Return a scalar of the type and on the device of a variable, made without a copy from the host."""
        return f"{like}.new_full((), {literal})"

    def write(self, node: Call, operands: tuple[Piece, ...], like: str) -> Piece:
        """Return the text of a call: in place where the temporary is spent, as a method where that reads better."""
        first = operands[0]
        if node.operation == "divide" and first.is_number and first.text not in ("1", "-1"):
            # PyTorch computes c / a as c (1 / a), which rounds twice, and 1 / a has no digits where a is huge.
            first = Piece(self.tensor(first.text, like), Precedence.ATOM, first.node)
            operands = (first, *operands[1:])
        if self._is_nan_kept(node, operands[0]):
            self.expansions.update(USES["sign"])
            return Piece(f"_or_nan({operands[1].text}, {operands[2].text})", Precedence.ATOM, node)
        row = self.row(node)
        self.expansions.update(USES.get(row, ()))
        if node.operation in _BOUND and any(operand.is_number for operand in operands):
            bound, rest = sorted(operands, key=lambda operand: not operand.is_number)
            if not rest.is_number:
                return self._method(node, rest, "clamp", f"{_BOUND[node.operation]}={bound.text}")
        if first.is_number and node.operation in ("clamp", *UNARY):
            return super().write(node, operands, like)  # a number has no methods
        if node.operation == "clamp" and operands[1].is_number != operands[2].is_number:
            lower = self._method(node, first, "clamp", f"min={operands[1].text}")
            return Piece(f"{lower.text}.clamp(max={operands[2].text})", Precedence.ATOM, node)
        if node.operation == "clamp":
            return self._method(node, first, "clamp", f"{operands[1].text}, {operands[2].text}")
        if node.operation == "select" and [operand.text for operand in operands[1:]] == ["1", "0"]:
            copied = ", copy=True" if first.is_name else ""  # what may be written into is not what others read
            return Piece(f"{first.within(Precedence.ATOM)}.to({like}.dtype{copied})", Precedence.ATOM, node)
        if row in IN_PLACE:
            if self._is_spent(first, operands[1:]):
                others = ", ".join(operand.text for operand in operands[1:])
                return self._call_method(node, first, IN_PLACE[row], others)
            if node.operation in COMMUTATIVE and self._is_spent(operands[1], operands[:1]):
                return self._call_method(node, operands[1], IN_PLACE[row], first.text)
        if row in UNARY and first.precedence == Precedence.ATOM:
            return self._call_method(node, first, UNARY[row], "")
        return super().write(node, operands, like)

    @staticmethod
    def _is_nan_kept(node: Call, condition: Piece) -> bool:
        """Whether a node is a choice of x where x is not equal to itself."""
        if node.operation != "select" or condition.is_name:
            return False
        test, _, other = node.arguments
        return isinstance(test, Call) and test.operation == "equal" and test.arguments == (other, other)

    def sources(self) -> list[str]:
        """Return the private functions that what was printed calls."""
        return [source for name, source in EXPANSIONS.items() if name in self.expansions]

    def _method(self, node: Call, receiver: Piece, method: str, arguments: str) -> Piece:
        """Return a method's call, in place where the receiver is spent."""
        return self._call_method(node, receiver, method + "_" * self._is_spent(receiver, ()), arguments)

    def _call_method(self, node: Call, receiver: Piece, method: str, arguments: str) -> Piece:
        text = f"{receiver.within(Precedence.ATOM)}.{method}({arguments})"
        return Piece(text, Precedence.ATOM, node)

    def _is_spent(self, temporary: Piece, others: tuple[Piece, ...]) -> bool:
        """Whether a temporary has no further reader and is as large as what would be written into it.

        It is as large as another operand if every variable that the other reads went into it too: then broadcasting
        against a parameter, and vmap over only some of the inputs, leave it as large.
        """
        if not (self.reuse and temporary.is_spent and isinstance(temporary.node, Call)):
            return False
        read = temporary.node.variables
        return bool(read) and all(other.node.variables <= read for other in others)
