"""Polynomials for the primitives that a framework has too coarse or too slow, as text for emitted code.

Each has the smallest largest error of its degree on its interval (Remez' exchange), its coefficients rounded to the
type one after the other, from the lowest on, and those that follow fitted again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Polynomial:
    """A polynomial in one variable.

    Attributes:
        coefficients: from the lowest power to the highest.
    """

    coefficients: tuple[float, ...]

    def statements(self, name: str, variable: str, indent: int = 4) -> str:
        """The lines that compute it into a name, by Horner's rule: a product and a sum each."""
        *rest, second, first = self.coefficients
        lines = [f"{name} = {first!r} * {variable}{_added(second)}"]
        lines += [f"{name} = {name} * {variable}{_added(coefficient)}" for coefficient in reversed(rest)]
        return "\n".join(" " * indent + line for line in lines)

    def __call__(self, x: float) -> float:
        """The value at a number, of whatever type can be multiplied by floats."""
        total = 0.0 * x
        for coefficient in reversed(self.coefficients):
            total = total * x + coefficient
        return total


def _added(coefficient: float) -> str:
    return f" - {-coefficient!r}" if coefficient < 0 else f" + {coefficient!r}"


EXPM1_SINGLE = Polynomial(
    (
        0.5000000596046448,
        0.1666666865348816,
        0.04166517034173012,
        0.008333257399499416,
        0.0013999876100569963,
        0.00019898786558769643,
    )
)
"""(expm1(a) / a - 1) / a, with which expm1 is off by 2^-27 of itself."""

TANH_SINGLE = Polynomial(
    (
        -0.3333328068256378,
        0.13331405818462372,
        -0.05373651906847954,
        0.020628513768315315,
        -0.005693274084478617,
    )
)
"""(tanh(a) / a - 1) / a^2 by a^2, with which tanh is off by 2^-27 of itself up to 5/8."""

TANH_DOUBLE = Polynomial(
    (
        -0.33333333333332854,
        0.13333333333261932,
        -0.05396825393119354,
        0.0218694875743971,
        -0.00886322098041795,
        0.0035919889947964375,
        -0.0014549579607784737,
        0.0005863135511430074,
        -0.00022855821739606628,
        7.713762483723506e-05,
        -1.6069309437307996e-05,
    )
)
"""The same for float64: off by 2^-55."""

ERF_NEAR_SINGLE = Polynomial(
    (
        0.12837916612625122,
        -0.3761262893676758,
        0.11283625662326813,
        -0.02685573697090149,
        0.005192438140511513,
        -0.000805038376711309,
        8.000348316272721e-05,
    )
)
"""erf(a) / a - 1 by a^2, with which erf is off by 2^-29 of itself up to 15/16."""

ERF_FAR_SINGLE = Polynomial(
    (
        1.128504753112793,
        0.6357510089874268,
        0.10521849989891052,
        -0.022862005978822708,
        0.003206186695024371,
        -0.00021291556186042726,
    )
)
"""-log(1 - erf(a)) / a, with which erf is off by 2^-28 from 15/16 to 4, where it is 1 in float32."""

ATAN_SINGLE = Polynomial(
    (
        -0.33333152532577515,
        0.19993767142295837,
        -0.14211001992225647,
        0.10665765404701233,
        -0.07551638782024384,
        0.043204277753829956,
        -0.016362778842449188,
        0.0029192862566560507,
    )
)
"""(atan(a) / a - 1) / a^2 by a^2, with which atan is off by 2^-25 of itself up to 1."""

LOG1P_SINGLE = Polynomial((0.666664183139801, 0.40021437406539917, 0.28003013134002686, 0.2800690233707428))
"""(2 atanh(z) / z - 2) / z^2 by z^2, with which log1p(a) is off by 2^-27 of itself: z = a / (2 + a), a in [-1/2, 1]."""

LOG1P_DOUBLE = Polynomial(
    (
        0.6666666666666631,
        0.4000000000015591,
        0.285714285480106,
        0.22222223960709114,
        0.18181744218074866,
        0.15386554136033256,
        0.13301045133082673,
        0.12105541054514239,
        0.08342443426932045,
        0.1701426368507583,
    )
)
"""The same for float64: off by 2^-58."""
