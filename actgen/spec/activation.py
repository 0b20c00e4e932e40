"""What a spec file says, once it has been checked: frozen values, exact numbers, SymPy expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import sympy

from actgen.spec.domain import Domain

Kind = Literal["elementwise", "gated", "axiswise"]
Shape = Literal["scalar", "channel"]
Family = Literal["uniform", "normal"]


@dataclass(frozen=True)
class Parameter:
    """One parameter of an activation: a keyword argument of the function, perhaps trained by the module."""

    name: str
    default: sympy.Rational
    description: str
    domain: Domain
    trainable: bool
    shape: Shape

    @property
    def symbol(self) -> sympy.Symbol:
        """The symbol that stands for the parameter in expressions; it knows what the domain implies."""
        return sympy.Symbol(self.name, **self.domain.assumptions)


@dataclass(frozen=True)
class Draw:
    """A parameter that is drawn for each element in training; in evaluation it is the mean, which is its default.

    `ends` are the lower and the upper end of a uniform distribution, the mean and the deviation of a normal one: each a
    number or the name of another parameter.
    """

    parameter: Parameter
    family: Family
    ends: tuple[sympy.Rational | str, sympy.Rational | str]


@dataclass(frozen=True)
class Reference:
    """The paper that the activation comes from."""

    title: str
    authors: str
    year: int
    url: str


@dataclass(frozen=True)
class Builtin:
    """The same function where a framework already has it: `torch.nn.functional.gelu(x, approximate="tanh")`."""

    name: str
    arguments: Mapping[str, bool | int | float | str] = field(hash=False)


@dataclass(frozen=True)
class Activation:
    """One activation, as its spec file declares it.

    `expression` holds real SymPy nodes for arithmetic, `Piecewise`, comparisons, `&` and `|`; every function call
    is an application of an undefined function of that name, for example `sympy.Function("sigmoid")(x)`, with
    its arguments in the order written. The symbolic room gives the names their meaning. `parameters` are what is passed
    as arguments; `draws` are the parameters that are not, for they are drawn.
    `grouped` says of an axis-wise activation that it acts on groups of consecutive elements of the axis.
    """

    name: str
    class_name: str
    title: str
    summary: str
    expression: sympy.Expr
    expression_text: str
    inputs: tuple[sympy.Symbol, ...]
    parameters: tuple[Parameter, ...]
    kind: Kind
    aliases: tuple[str, ...]
    reference: Reference | None
    builtins: Mapping[str, Builtin] = field(hash=False)
    surrogate: sympy.Expr | None
    path: str
    digest: str
    draws: tuple[Draw, ...] = ()
    grouped: bool = False

    @property
    def variables(self) -> tuple[Parameter, ...]:
        """The parameters that the formula reads: those that are drawn, and not those that only tell how."""
        read = self.expression.free_symbols | (set() if self.surrogate is None else self.surrogate.free_symbols)
        ends = {end for draw in self.draws for end in draw.ends if isinstance(end, str)}
        own = [parameter for parameter in self.parameters if parameter.name not in ends or parameter.symbol in read]
        return (*own, *(draw.parameter for draw in self.draws))
