"""The functions a formula is made of, as SymPy classes whose derivatives do not cancel.

SymPy's own ``tanh`` differentiates to ``1 - tanh(u)**2`` and its ``erfc`` turns ``erfc(-u)`` into ``2 - erfc(u)``;
both lose every digit in a tail. The classes here differ from SymPy's in exactly that: they keep the form that is
accurate. What SymPy has and does right (``exp``, ``log``, ``sin``, ``erf``, ...) is used as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp
from sympy.codegen.cfunctions import expm1 as expm1
from sympy.codegen.cfunctions import log1p as log1p


class Primitive(sp.Function):  # type: ignore[misc]  # SymPy ships no types
    """A real function of one real argument with its derivative stated in :meth:`fdiff`."""

    nargs = (1,)
    is_real = True

    @property
    def argument(self) -> sp.Expr:
        """The one argument."""
        return self.args[0]


class sigmoid(Primitive):
    """The logistic function 1 / (1 + exp(-u)); its derivative is sigmoid(u) sigmoid(-u), which never cancels."""

    is_positive = True

    @classmethod
    def eval(cls, u: sp.Expr) -> sp.Expr | None:
        """Fold the one exact value, sigmoid(0) = 1/2."""
        return sp.Rational(1, 2) if u.is_zero else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """sigmoid'(u) = sigmoid(u) sigmoid(-u)."""
        return sigmoid(self.argument) * sigmoid(-self.argument)


class softplus(Primitive):
    """log(1 + exp(u)); its derivative is sigmoid(u)."""

    is_positive = True

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """softplus'(u) = sigmoid(u)."""
        return sigmoid(self.argument)


class tanh(Primitive):
    """The hyperbolic tangent; its derivative is sech(u)^2 and not 1 - tanh(u)^2, which cancels beyond |u| = 4."""

    @classmethod
    def eval(cls, u: sp.Expr) -> sp.Expr | None:
        """Fold tanh(0) = 0 and move a sign outwards."""
        if u.is_zero:
            return sp.Integer(0)
        return -cls(-u) if u.could_extract_minus_sign() else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """tanh'(u) = sech(u)^2."""
        return sech(self.argument) ** 2


class sech(Primitive):
    """The hyperbolic secant 1 / cosh(u)."""

    is_positive = True

    @classmethod
    def eval(cls, u: sp.Expr) -> sp.Expr | None:
        """Fold sech(0) = 1 and drop a sign."""
        if u.is_zero:
            return sp.Integer(1)
        return cls(-u) if u.could_extract_minus_sign() else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """sech'(u) = -sech(u) tanh(u)."""
        return -sech(self.argument) * tanh(self.argument)


class erfc(Primitive):
    """The complementary error function 1 - erf(u), kept as it is for negative arguments too."""

    is_positive = True

    @classmethod
    def eval(cls, u: sp.Expr) -> sp.Expr | None:
        """Fold erfc(0) = 1."""
        return sp.Integer(1) if u.is_zero else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """erfc'(u) = -2/sqrt(pi) exp(-u^2)."""
        return -2 / sp.sqrt(sp.pi) * sp.exp(-(self.argument**2))


class arccot(Primitive):
    """pi/2 - atan(u), which falls like 1/u towards infinity; a difference of angles would cancel there."""

    is_positive = True

    @classmethod
    def eval(cls, u: sp.Expr) -> sp.Expr | None:
        """Fold arccot(0) = pi/2."""
        return sp.pi / 2 if u.is_zero else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """arccot'(u) = -1 / (1 + u^2)."""
        return -1 / (1 + self.argument**2)


DERIVATIVES: Mapping[type[sp.Function], Callable[[sp.Expr], sp.Expr]] = {
    sp.exp: sp.exp,
    sp.log: lambda u: 1 / u,
    expm1: sp.exp,
    log1p: lambda u: 1 / (1 + u),
    sp.sin: sp.cos,
    sp.cos: lambda u: -sp.sin(u),
    sp.tan: lambda u: 1 / sp.cos(u) ** 2,
    sp.sinh: sp.cosh,
    sp.cosh: sp.sinh,
    sp.asinh: lambda u: 1 / sp.sqrt(1 + u**2),
    sp.atan: lambda u: 1 / (1 + u**2),
    sp.erf: lambda u: 2 / sp.sqrt(sp.pi) * sp.exp(-(u**2)),
    sigmoid: lambda u: sigmoid(u).fdiff(),
    softplus: lambda u: softplus(u).fdiff(),
    tanh: lambda u: sech(u) ** 2,
    sech: lambda u: -sech(u) * tanh(u),
    arccot: lambda u: arccot(u).fdiff(),
    erfc: lambda u: -2 / sp.sqrt(sp.pi) * sp.exp(-(u**2)),
    sp.Abs: sp.sign,
    sp.sign: lambda u: sp.Integer(0),
    sp.floor: lambda u: sp.Integer(0),
}
"""The derivative of every primitive by its argument. The kink rule is part of it: the slope of |u| at 0 is sign(0) = 0,
and ``sign`` and ``floor`` are flat, also where they jump (SymPy would write a Dirac delta there)."""


def is_primitive(function: Any) -> bool:
    """Whether a SymPy class is one of the functions a formula may be made of."""
    return function in DERIVATIVES
