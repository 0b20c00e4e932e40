"""A spec is looked at before it is derived: has its formula a real value everywhere, whatever its parameters may be?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from actgen.spec import Activation, Domain, Parameter, Problem, SpecError
from actgen.spec.placing import place, place_key
from actgen.spec.source import KeyPath
from actgen.symbolic.binding import bind
from actgen.symbolic.definedness import Gap, Line, Values
from actgen.symbolic.learning import implied_gradients, never_learning
from actgen.symbolic.requirements import Requirement, requirements

_NARROWER = ("nonnegative", "positive", "nonpositive", "negative")
_DEFINE = "define the formula there with Piecewise((value, condition), ..., (value, True))"
_FIX = "let the surrogate vanish there, or write trainable = false"
_SHOWN = 4  # poles named in a message


def examine(activation: Activation) -> tuple[Problem, ...]:
    """Return what to warn of: poles, parameters that never learn, and values at which the formula is no real number.

    Args:
        activation: any spec; of an axis-wise one, what is done to single elements is looked at.

    Raises:
        SpecError: at the default parameters the formula is no real number on a stretch of inputs; or the gradient of
            a parameter that is trained does not follow from the surrogate.
    """
    formulas = [_Subject(activation, ("expression",), activation.expression)]
    if activation.surrogate is not None:
        formulas.append(_Subject(activation, ("surrogate", "derivative"), activation.surrogate))
    broken = [problem for formula in formulas if (problem := formula.error()) is not None]
    if broken:
        raise SpecError(broken)
    for gradient in implied_gradients(activation):
        path: KeyPath = ("parameters", gradient.parameter, "trainable")
        name = f"the derivative by {gradient.parameter}, which the surrogate implies,"
        formulas.append(_Subject(activation, path, gradient.ratio, name, _FIX, gradient.partial))
    return (*(caution for formula in formulas for caution in formula.cautions()), *never_learning(activation))


def examine_all(activations: Iterable[Activation]) -> list[Problem]:
    """Return what to warn of in all of some specs, in order.

    Raises:
        SpecError: with everything that is wrong with any of them.
    """
    cautions: list[Problem] = []
    problems: list[Problem] = []
    for activation in activations:
        try:
            cautions += examine(activation)
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    return cautions


@dataclass(frozen=True)
class _Subject:
    """One formula of a spec, and the key where it stands in the file.

    A gradient that a surrogate implies stands nowhere: `expression` is what it is multiplied by, `whole` all of it.
    """

    activation: Activation
    path: KeyPath
    expression: sp.Expr
    name: str = "the formula"
    remedy: str = _DEFINE
    whole: sp.Expr | None = None

    def error(self) -> Problem | None:
        """What is wrong at the default parameters."""
        defaults = self._defaults
        for requirement, variable in self._asked:
            gap = Line(requirement, variable, defaults).stretch(thoroughly=True)
            if gap is not None:
                what = f"{requirement.operation} is no real number at {variable} = {gap.point:g} and beside it"
                return self._problem(requirement, f"{what}: {_why(gap)}", _remedy(requirement))
        return None

    def cautions(self) -> Iterator[Problem]:
        """Poles at the default parameters; then, of each parameter, a value at which the formula has a gap."""
        pierced = set()
        for requirement, variable in self._asked:
            poles = self._poles(requirement, variable, self._defaults)
            if poles:
                pierced.add(requirement)
                what = f"{self.name} has no value at {_places(variable, poles)}, where {_zero(requirement)}"
                yield self._problem(requirement, f"warning: {what}", f"if that is not meant, {self.remedy}")
        for parameter in self.activation.variables:
            found = self._first_gap(parameter, _values(self.activation, parameter), pierced)
            if found is not None:
                yield self._of_parameter(parameter, *found)

    def _of_parameter(self, parameter: Parameter, value: sp.Rational, variable: sp.Symbol, gap: Gap) -> Problem:
        domain, requirement = parameter.domain, gap.requirement
        where = "" if variable not in requirement.symbols else f" at {variable} = {gap.point:g}"
        why = _why(gap) if gap.is_stretch else _zero(requirement)
        setting = f"with {parameter.name} = {value}, which is in its domain {domain}"
        what = f"{setting}, {self.name} has no real value{where}"
        narrower = self._narrower(parameter)
        remedy = f'write domain = "{narrower}"' if narrower else "narrow its domain, or define the formula there"
        return self._problem(requirement, f"warning: {what}: {why}", remedy)

    def _narrower(self, parameter: Parameter) -> str | None:
        """A domain in which no value is found that leaves the formula without one."""
        for name in _NARROWER:
            domain = Domain.parse(name)
            tried = [value for value in _spread(parameter.default, domain) if value in parameter.domain]
            if parameter.default in domain and self._first_gap(parameter, tried, set()) is None:
                return name
        return None

    def _first_gap(
        self, parameter: Parameter, values: Sequence[sp.Rational], known: set[Requirement]
    ) -> tuple[sp.Rational, sp.Symbol, Gap] | None:
        """A value of a parameter, the others at their defaults, at which a requirement is not met; and where."""
        symbol = parameter.symbol
        asked = [(one, variable) for one, variable in self._asked if symbol in one.symbols]
        for value in values:
            setting = {**self._defaults, symbol: value}
            for requirement, variable in asked:
                gap = Line(requirement, variable, setting).stretch(thoroughly=False)
                poles = [] if gap or requirement in known else self._poles(requirement, variable, setting)
                if gap or poles:
                    return value, variable, gap or poles[0]
        return None

    def _poles(self, requirement: Requirement, variable: sp.Symbol, values: Values) -> list[Gap]:
        """Of an axis-wise activation none, for its value at an element is that of a row."""
        if self.activation.kind == "axiswise":
            return []
        others = {symbol: sp.Integer(1) for symbol in self.activation.inputs if symbol != variable}
        return list(Line(requirement, variable, values).poles(self._bound.xreplace(others)))

    @cached_property
    def _bound(self) -> sp.Expr:
        return bind(self.expression, self.activation.inputs) if self.whole is None else self.whole

    @cached_property
    def _defaults(self) -> Values:
        return {parameter.symbol: parameter.default for parameter in self.activation.variables}

    @cached_property
    def _asked(self) -> list[tuple[Requirement, sp.Symbol]]:
        """The requirements that read one input at most, each with that input."""
        inputs = self.activation.inputs
        read = {one: [x for x in inputs if x in one.symbols] for one in requirements(self.expression, inputs)}
        return [(one, (*found, inputs[0])[0]) for one, found in read.items() if len(found) <= 1]

    def _problem(self, requirement: Requirement, message: str, remedy: str) -> Problem:
        if self.whole is not None:
            return place_key(self.activation, self.path, message, remedy)
        return place(self.activation, self.path, requirement.part, message, remedy)


def _values(activation: Activation, parameter: Parameter) -> list[sp.Rational]:
    """Values to try: of a parameter that is drawn, what its distribution at the defaults gives; else of its domain."""
    drawn = next((draw for draw in activation.draws if draw.parameter == parameter), None)
    if drawn is None:
        return _spread(parameter.default, parameter.domain)
    defaults = {one.name: one.default for one in activation.parameters}
    first, second = (defaults[end] if isinstance(end, str) else end for end in drawn.ends)
    return [first, second] if drawn.family == "uniform" else [first - second, first + second]


def _spread(default: sp.Rational, domain: Domain) -> list[sp.Rational]:
    """Values of a domain other than the default: 0 and the ends, those of the other sign, smaller and larger ones."""
    ends = [end for end in (domain.lower, domain.upper) if end.is_finite]
    sizes = [-default, sp.Integer(-1), sp.Integer(1), default / 4, default * 3, default + sp.Rational(1, 2)]
    tried = [sp.Integer(0), *ends, *sizes]
    return [value for value in dict.fromkeys(tried) if value != default and value in domain]


def _why(gap: Gap) -> str:
    requirement = gap.requirement
    if not gap.argument:
        return _zero(requirement)
    what = _asked_of(requirement)
    return f"{what} is negative there{'' if what.is_Symbol else f', {gap.argument:g}'}"


def _zero(requirement: Requirement) -> str:
    return f"{_asked_of(requirement)} is 0"


def _asked_of(requirement: Requirement) -> sp.Expr:
    """The number that is asked of as a person would point at it."""
    named = {"log1p": lambda u: 1 + u, "tan": lambda u: sp.Function("cos")(u)}
    operation = requirement.operation
    if operation.is_Pow:
        return operation.base
    return named.get(operation.func.__name__, lambda u: u)(operation.args[0])


def _remedy(requirement: Requirement) -> str:
    kept = "away from 0" if requirement.divides else "positive"
    return f"{_DEFINE}, or keep {_asked_of(requirement)} {kept}, as Abs and Max can"


def _places(variable: sp.Symbol, poles: Sequence[Gap]) -> str:
    shown = [f"{pole.point:g}" for pole in poles[:_SHOWN]]
    rest = ", ..." if len(poles) > _SHOWN else ""
    return f"{variable} = {', '.join(shown)}{rest}"
