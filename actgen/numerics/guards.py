"""Guards: what is put round a form that is right in the middle of the float range and wrong at its ends.

* A *clamp* holds x on a side where the formula saturates, at the power of two beyond which the exact value no longer
  moves by a quarter of a float64 ULP, or is beyond all floats; inf * 0 and inf / inf then cannot occur.
* A *limit* is selected at an infinity where no clamp applies.
* *NaN* is passed on where a form would swallow it.
* A *line* takes the place of the formula next to 0, where parts of a sum are flushed though the sum is not; where a
  parameter only scales, so does its *first term*, c z^k: (p x)^2 / p may be a normal number where (p x)^2 is not.
* *Logarithms* of 0 and infinity are held where what they are multiplied by vanishes: |x|^p log|x| is 0 at 0.
* *Exponents* are held where what grows is multiplied by what vanishes faster.
* A *zero wins* where a parameter that is 0 multiplies the input: 0 x is 0 for infinite x, too, as its limit says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from flint import arb

from actgen.numerics.kernel import Call, Constant, Kernel, Node, Variable
from actgen.numerics.lowering import call

_EXPONENTS = (*range(3, 61), 64, 70, 80, 90, 100)

_ANGLE = 2.0**100

_EXPONENT = 40.0
"""exp(40) is 2e17: its square still is a float32, and exp of minus that is 0."""

NEXT_TO_UNDERFLOW = 2.0**-90
"""Below this size only the first term of a series in x matters."""

Enclosure = Callable[[float], arb | None]


def saturation(enclose: Enclosure, sign: int) -> float | None:
    """The bound on one side from which on a formula is constant to float64 precision, or overflows, or None.

    Args:
        enclose: the exact value at a point.
        sign: 1 for the right side, -1 for the left.

    Returns:
        ``sign`` times the smallest power of two K such that the values at K, 2 K, 4 K, ... up to 2**200 agree, or are
        all beyond the largest float.
    """
    return _settled(enclose, sign) or _overflown(enclose, sign)


def _overflown(enclose: Enclosure, sign: int) -> float | None:
    """Where values are beyond every float, of one sign, as far out as they can be told."""
    found: float | None = None
    direction = 0
    for k in _EXPONENTS:
        value = enclose(sign * 2.0**k)
        if value is None or not value.is_finite():
            break
        if found is not None and not direction * value > arb(2) ** 1024:
            return None
        if found is None and abs(value) > arb(2) ** 1024:
            found, direction = sign * 2.0**k, 1 if value > 0 else -1
    return found


def _settled(enclose: Enclosure, sign: int) -> float | None:
    """Where values agree to float64 precision."""
    far = [value for k in (110, 150, 200) if (value := enclose(sign * 2.0**k)) is not None]
    if len(far) < 3:
        return None
    limit = far[-1].mid()
    if abs(limit) < arb(2) ** -1100:
        limit = arb(0)
    bound = arb(2) ** -1023 if limit == 0 else abs(limit) * arb(2) ** -56
    if any(not abs(value - limit) < bound for value in far):
        return None
    settled: float | None = None
    for k in reversed(_EXPONENTS):
        value = enclose(sign * 2.0**k)
        if value is None or not abs(value - limit) < bound:
            break
        settled = sign * 2.0**k
    return settled


def clamped(kernel: Kernel, lower: float | None, upper: float | None, variable: Node | None = None) -> Kernel:
    """The kernel with its input, or another node of it, held between two bounds, either of which may be absent."""
    x = variable or _input(kernel)
    if x is None or (lower is None and upper is None):
        return kernel
    if lower is not None and upper is not None:
        held, sides = call("clamp", x, Constant(lower), Constant(upper)), "both sides"
    elif lower is not None:
        held, sides = call("maximum", x, Constant(lower)), "left"
    else:
        held, sides = call("minimum", x, Constant(upper if upper is not None else math.inf)), "right"
    return _renewed(kernel, replaced(kernel.result, {x: held}), {x: held}, f", clamped {sides}")


def with_bounded_angles(kernel: Kernel) -> Kernel:
    """The kernel with every argument of sin, cos and tan held at 2**100 in magnitude.

    a x overflows before x does, and sin(inf) is NaN. Beyond 2**100 half an ULP of the angle is many turns: the
    contract's second term, u |x f'(x)|, exceeds the whole oscillation, and any value of the sine is as good as
    another.
    """
    held: dict[Node, Node] = {}
    for node in kernel.calls():
        if node.operation in ("sin", "cos", "tan"):
            if isinstance(node.arguments[0], Call) and node.arguments[0].operation == "clamp":
                continue
            angle = call("clamp", replaced(node.arguments[0], held), Constant(-_ANGLE), Constant(_ANGLE))
            held[node] = Call(node.operation, (angle,))
    return _renewed(kernel, replaced(kernel.result, held), held, ", angles held") if held else kernel


def with_bounded_exponents(kernel: Kernel) -> Kernel:
    """The kernel with every argument of exp held at 40.

    Of exp(b x) exp(-exp(2 b x)) the first factor overflows where the second is 0, and no bound for x is one for all b.
    """
    held: dict[Node, Node] = {}
    for node in kernel.calls():
        if node.operation == "exp" and _input(Kernel(node)) is not None:
            held[node] = Call("exp", (call("minimum", replaced(node.arguments[0], held), Constant(_EXPONENT)),))
    return _renewed(kernel, replaced(kernel.result, held), held, ", exponents held") if held else kernel


def with_held_logarithms(kernel: Kernel, at: float) -> Kernel:
    """The kernel with finite logarithms at 0, or at infinity, for products with what vanishes there.

    Args:
        kernel: any.
        at: 0, where it is 0, also for what is flushed to 0; or infinity, where it is that of 2**100.
    """
    held: dict[Node, Node] = {}
    for node in kernel.calls():
        if node.operation == "log" and _input(Kernel(node)) is not None:
            argument = replaced(node.arguments[0], held)
            is_there = call("equal", argument, Constant(at))
            held[node] = call("log", call("select", is_there, Constant(2.0**100 if at else 1.0), argument))
    return _renewed(kernel, replaced(kernel.result, held), held, ", logarithms held") if held else kernel


def with_winning_zeros(kernel: Kernel) -> Kernel:
    """The kernel with 0 for every product with a parameter that is 0: p x at p = 0, also for infinite x.

    Of a product of many factors it is the whole that is 0: of (p - 1) / x / x the rest may be infinite at every step.
    """
    held: dict[Node, Node] = {}
    inner = _inner_products(kernel)
    for node in kernel.calls():
        if node.operation == "multiply" and node not in inner and _input(Kernel(node)) is not None:
            fixed = dict.fromkeys(factor for factor in _factors(node) if _reads_parameters_only(factor))
            product = Call("multiply", tuple(replaced(factor, held) for factor in node.arguments))
            for factor in fixed:
                product = call("select", call("equal", replaced(factor, held), Constant(0.0)), Constant(0.0), product)
            if fixed:
                held[node] = product
    return _renewed(kernel, replaced(kernel.result, held), held, ", zeros win") if held else kernel


def _inner_products(kernel: Kernel) -> set[Node]:
    """The products that only other products read."""
    outside: set[Node] = {kernel.result}
    for node in kernel.calls():
        if node.operation != "multiply":
            outside.update(node.arguments)
    return {node for node in kernel.calls() if node.operation == "multiply" and node not in outside}


def _factors(node: Node) -> Iterator[Node]:
    """The factors of a product of products; one that reads parameters only is not taken apart."""
    if isinstance(node, Call) and node.operation == "multiply" and not _reads_parameters_only(node):
        for argument in node.arguments:
            yield from _factors(argument)
    else:
        yield node


def _reads_parameters_only(node: Node) -> bool:
    return bool(node.variables) and all(variable.is_parameter for variable in node.variables)


def with_limits(kernel: Kernel, limits: Mapping[float, float]) -> Kernel:
    """The kernel with given values selected at one or both infinities."""
    x = _input(kernel)
    if x is None or not limits:
        return kernel
    result = kernel.result
    for infinity, value in limits.items():
        result = call("select", call("equal", x, Constant(infinity)), Constant(value), result)
    return _renewed(kernel, result, {}, ", limits selected")


def with_continued_limits(kernel: Kernel) -> Kernel:
    """The kernel with its value at +-2**100 for the infinities, or infinity where that is large.

    For limits that depend on parameters; wrong where one is approached no faster than by a logarithm.
    """
    x = _input(kernel)
    if x is None:
        return kernel
    is_infinite = call("equal", call("absolute", x), Constant(math.inf))
    held = call("select", is_infinite, call("clamp", x, Constant(-(2.0**100)), Constant(2.0**100)), x)
    result = replaced(kernel.result, {x: held})
    grows = call("both", is_infinite, call("greater", call("absolute", result), Constant(2.0**50)))
    result = call("select", grows, call("multiply", result, Constant(math.inf)), result)
    return _renewed(kernel, result, {x: held}, ", limits continued")


def with_line(kernel: Kernel, slope: Node) -> Kernel:
    """The kernel with x times its slope at 0 where x is next to underflow: x/2 + x/2 is 0 there, where x is not.

    Args:
        kernel: of a formula that vanishes at 0.
        slope: the node of its derivative there, which reads parameters only.
    """
    x = _input(kernel)
    if x is None:
        return kernel
    is_tiny = call("less", call("absolute", x), Constant(NEXT_TO_UNDERFLOW))
    line = x if slope == Constant(1.0) else call("multiply", slope, x)
    return _renewed(kernel, call("select", is_tiny, line, kernel.result), {}, ", linear next to 0")


def with_first_term(kernel: Kernel, variable: Node, reach: float, term: Node) -> Kernel:
    """The kernel with another node where a variable of it is small."""
    is_small = call("less", call("absolute", variable), Constant(reach))
    return _renewed(kernel, call("select", is_small, term, kernel.result), {}, ", first term next to 0")


def with_nan(kernel: Kernel) -> Kernel:
    """The kernel with NaN given for NaN."""
    x = _input(kernel)
    if x is None:
        return kernel
    return _renewed(kernel, call("select", call("equal", x, x), kernel.result, x), {}, "")


def put(kernel: Kernel, old: Node, new: Node) -> Kernel:
    """The kernel with one node in the place of another."""
    return _renewed(kernel, replaced(kernel.result, {old: new}), {old: new}, "")


def replaced(node: Node, known: Mapping[Node, Node]) -> Node:
    """A graph with some of its nodes replaced."""
    return _replaced(node, dict(known))


def _replaced(node: Node, memory: dict[Node, Node]) -> Node:
    """The same; what stands for each node is added to the memory."""
    stack = [node]
    while stack:
        current = stack[-1]
        missing = () if current in memory else [operand for operand in current.operands if operand not in memory]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        if current not in memory:
            memory[current] = current
            if isinstance(current, Call):
                memory[current] = Call(current.operation, tuple(memory[o] for o in current.arguments))
    return memory[node]


def _renewed(kernel: Kernel, result: Node, known: Mapping[Node, Node], suffix: str) -> Kernel:
    memory = dict(known)
    names = {_replaced(node, memory): name for node, name in kernel.names.items()} if known else kernel.names
    return Kernel(result, names, kernel.form + suffix, kernel.note)


def _input(kernel: Kernel) -> Variable | None:
    return next((variable for variable in kernel.variables if not variable.is_parameter), None)
