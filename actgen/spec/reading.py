"""Reading: what a TOML document means, checked key by key, with the place of everything that is wrong.

Types, unknown and missing keys are checked by the models of `tables`; the rest is checked here on whatever
part of the document has the right type, so that one run shows all mistakes and not the first layer of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import sympy
from pydantic import ValidationError
from sympy.core.function import AppliedUndef

from actgen.spec import names
from actgen.spec.activation import Activation, Builtin, Draw, Family, Parameter, Reference
from actgen.spec.complaint import MOST, complain
from actgen.spec.domain import Domain, DomainError
from actgen.spec.expression import read_expression
from actgen.spec.factors import separate
from actgen.spec.names import LONGEST, NamingError
from actgen.spec.number import NumberError, exact
from actgen.spec.problem import Problem, nearest
from actgen.spec.source import KeyPath, Source, Span
from actgen.spec.tables import SpecTable, Written
from actgen.spec.text import collapse, quoted
from actgen.spec.vocabulary import INPUT, REDUCTIONS

GATED_INPUTS = ("a", "b")
FAMILIES: tuple[Family, ...] = ("uniform", "normal")
Ends = tuple[sympy.Rational | str, sympy.Rational | str]
T = TypeVar("T")

_ONLY = "this version supports elementwise activations only"


def mean(draw: tuple[Family, Ends], defaults: Mapping[str, sympy.Rational]) -> sympy.Rational:
    """Return the mean of a distribution at the defaults of its ends."""
    family, ends = draw
    first, second = (defaults[end] if isinstance(end, str) else end for end in ends)
    return (first + second) / 2 if family == "uniform" else first


class Reader:
    """Reads one document; `problems` collects everything that is wrong with it, in the order of the file."""

    def __init__(self, stem: str, source: Source, document: dict[str, Any], digest: str) -> None:
        self.stem = stem
        self.source = source
        self.document = document
        self.digest = digest
        self.problems: list[Problem] = []

    def activation(self) -> Activation | None:
        """Return the activation, or None where `problems` has something to say."""
        table: SpecTable | None = None
        try:
            table = SpecTable.model_validate(self.document)
        except ValidationError as error:
            self.problems += complain(self.source, error)
        self._check_kind()
        self._check_names()
        self._check_reference()
        rows = dict(islice((self._get(("parameters",), dict) or {}).items(), MOST))
        domains = {name: self._read_domain(name) for name in rows}
        defaults = {name: self._read_default(name, domains[name]) for name in rows}
        draws = {name: draw for name in rows if (draw := self._read_draw(name, rows, defaults)) is not None}
        defaults |= {name: mean(draw, defaults) for name, draw in draws.items()}
        inputs = tuple(sympy.Symbol(name, real=True) for name in self._read_inputs(rows))
        symbols = {symbol.name: symbol for symbol in inputs}
        symbols |= {name: sympy.Symbol(name, **domain.assumptions) for name, domain in domains.items()}
        names_of_inputs = [symbol.name for symbol in inputs]
        expression = self._read_expression(("expression",), symbols, names_of_inputs)
        surrogate = self._read_expression(("surrogate", "derivative"), symbols, names_of_inputs)
        if expression is not None:
            ends = {end for _, ends in draws.values() for end in ends if isinstance(end, str)}
            self._check_symbols(expression, surrogate, {n: s for n, s in symbols.items() if n not in ends}, inputs)
        self.problems.sort(key=lambda problem: (problem.line or 0, problem.column))
        if self.problems or table is None or expression is None:
            return None
        parameters = {
            name: Parameter(name, defaults[name], row.description, domains[name], row.trainable, row.shape)
            for name, row in table.parameters.items()
        }
        builtins = {key: getattr(table.builtins, key) for key in type(table.builtins).model_fields}
        return Activation(
            name=self.stem,
            class_name=table.class_name or names.camel(self.stem),
            title=table.title,
            summary=table.summary,
            expression=expression,
            expression_text=collapse(table.expression),
            inputs=inputs,
            parameters=tuple(parameter for name, parameter in parameters.items() if name not in draws),
            kind=table.kind,
            aliases=tuple(table.aliases),
            reference=None if table.reference is None else Reference(**table.reference.model_dump()),
            builtins={key: Builtin(row.name, row.arguments) for key, row in builtins.items() if row is not None},
            surrogate=surrogate,
            path=self.source.path,
            digest=self.digest,
            draws=tuple(Draw(parameters[name], *how) for name, how in draws.items()),
            grouped=table.grouped,
        )

    def claims(self) -> Iterator[tuple[str, Span | None]]:
        """Yield each name that the file takes in the emitted packages, with its place, once."""
        seen = {self.stem}
        yield self.stem, None
        for index, alias in enumerate(self._get(("aliases",), list) or []):
            if isinstance(alias, str) and alias not in seen:
                seen.add(alias)
                yield alias, self.source.value(("aliases", index))
        class_name = self._get(("class_name",), str)
        yield class_name or names.camel(self.stem), self.source.values.get(("class_name",))

    @property
    def _is_axiswise(self) -> bool:
        return self._get(("kind",), str) == "axiswise"

    def _get(self, path: KeyPath, kind: type[T]) -> T | None:
        """Return what the document holds at `path`, if it is of the given type."""
        found: Any = self.document
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return found if isinstance(found, kind) else None

    def _note(self, span: Span | None, message: str, remedy: str = "") -> None:
        self.problems.append(self.source.problem(span, message, remedy))

    def _check_kind(self) -> None:
        kind = self._get(("kind",), str)
        if kind == "axiswise":
            self._check_axiswise()
        elif "grouped" in self.document:
            remedy = 'remove it, or add kind = "axiswise"'
            self._note(self.source.key(("grouped",)), "only an axis-wise activation acts on groups", remedy)
        if kind == "gated" and "surrogate" in self.document:
            remedy = "write it into an elementwise activation"
            self._note(self.source.key(("surrogate",)), "a gated unit has no surrogate derivative", remedy)
        for name, row in (self._get(("parameters",), dict) or {}).items() if kind == "gated" else ():
            if isinstance(row, dict) and row.get("shape", "scalar") != "scalar":
                place = self.source.key(("parameters", name, "shape"))
                self._note(place, "a parameter of a gated unit is one number", "remove shape")

    def _read_inputs(self, parameters: Iterable[str]) -> tuple[str, ...]:
        """Return the inputs' names: x, and of a gated unit those it gives, a and b where it gives none."""
        if self._get(("kind",), str) != "gated":
            if "inputs" in self.document:
                remedy = 'remove it, or write kind = "gated"'
                self._note(self.source.key(("inputs",)), "inputs belong to gated units; the input here is x", remedy)
            return (INPUT,)
        given = self._get(("inputs",), list)
        if given is None or len(given) != 2 or not all(isinstance(name, str) for name in given):
            return GATED_INPUTS
        for index, name in enumerate(given):
            place = self.source.value(("inputs", index))
            if name in parameters or name in given[:index]:
                self._note(place, f"the input {quoted(name)} has the name of something else", "choose another name")
            else:
                self._check_name(names.check_input, name, place)
        return tuple(given)

    def _check_axiswise(self) -> None:
        """Note what an axis-wise activation cannot have."""
        for name, row in islice((self._get(("parameters",), dict) or {}).items(), MOST):
            if isinstance(row, dict) and row.get("trainable") is True:
                place = self.source.key(("parameters", name, "trainable"))
                remedy = "remove trainable; a hyperparameter is a number given by the caller"
                self._note(place, "parameters of axis-wise activations are not trained", remedy)
            if isinstance(row, dict) and "distribution" in row:
                place = self.source.key(("parameters", name, "distribution"))
                self._note(place, "parameters of axis-wise activations are not drawn", "remove distribution")
        if "surrogate" in self.document:
            self._note(self.source.key(("surrogate",)), "axis-wise activations have no surrogate", "remove the table")

    def _check_names(self) -> None:
        try:
            names.check_activation(self.stem)
        except NamingError as error:
            self.problems.append(Problem(self.source.path, f"{error}, so not the file either", error.remedy))
        class_name = self._get(("class_name",), str)
        if class_name is not None:
            self._check_name(names.check_class, class_name, self.source.value(("class_name",)))
        elif not self.problems:
            try:
                names.check_class(names.camel(self.stem))
            except NamingError as error:
                self.problems.append(Problem(self.source.path, str(error), "give a class_name"))
        aliases = (self._get(("aliases",), list) or [])[:MOST]
        for index, alias in enumerate(aliases):
            place = self.source.value(("aliases", index))
            if not isinstance(alias, str):
                continue
            if alias == self.stem or alias in aliases[:index]:
                self._note(place, f"the alias {quoted(alias)} says again what is said already", "remove it")
            else:
                self._check_name(names.check_alias, alias, place)
        rows = dict(islice((self._get(("parameters",), dict) or {}).items(), MOST))
        trainables = [name for name, row in rows.items() if isinstance(row, dict) and row.get("trainable") is True]
        for name in rows:
            self._check_name(names.check_parameter, name, self.source.key(("parameters", name)))
            for trainable in trainables:
                self._check_name(
                    partial(names.check_beside, trainable=trainable), name, self.source.key(("parameters", name))
                )

    def _check_name(self, check: Callable[[str], None], name: str, place: Span | None) -> None:
        try:
            check(name)
        except NamingError as error:
            self._note(place, str(error), error.remedy)

    def _check_reference(self) -> None:
        has_reference, is_folklore = "reference" in self.document, self.document.get("folklore") is True
        if not has_reference and not is_folklore:
            remedy = "add [reference] with title, authors, year and url, or folklore = true where there is no paper"
            self._note(self.source.key(("folklore",)), "the reference is missing", remedy)
        elif has_reference and is_folklore:
            self._note(self.source.key(("folklore",)), "folklore = true contradicts [reference]", "remove one of them")

    def _read_domain(self, name: str) -> Domain:
        path = ("parameters", name, "domain")
        text = self._get(path, str)
        if text is not None:
            try:
                return Domain.parse(text)
            except DomainError as error:
                message, _, remedy = str(error).partition("; ")
                self._note(self.source.value(path), message, remedy)
        return Domain.parse("real")

    def _read_default(self, name: str, domain: Domain) -> sympy.Rational:
        table: KeyPath = ("parameters", name)
        row = self._get(table, dict) or {}
        if "distribution" in row:
            if "default" in row:
                what = "the default of a stochastic parameter is the mean of its distribution"
                self._note(self.source.key((*table, "default")), what, "remove default")
            return sympy.S.Zero
        if isinstance(self._get(table, dict), dict) and "default" not in row:
            description = 'the default value: a number, exact as written, or a fraction such as "1/6".'
            self._note(self.source.key(table), "the key 'default' is missing", f"add it: {description}")
        if "shape" in row and row.get("trainable") is not True:
            remedy = "remove shape, or add trainable = true"
            self._note(self.source.key((*table, "shape")), "only a trainable parameter has a shape", remedy)
        written = row.get("default")
        text = written.text if isinstance(written, Written) else str(written)
        if isinstance(written, bool) or not isinstance(written, int | str | Written):
            return sympy.S.Zero
        place = self.source.value((*table, "default"))
        try:
            default = exact(text.replace("_", ""))
        except NumberError as error:
            remedy = 'write it like 0.25, or "1/6" in quotes'
            self._note(place, f"the default {quoted(text)} cannot be used: {error}", remedy)
            return sympy.S.Zero
        if default not in domain:
            self._note(
                place,
                f"the default {text[:LONGEST]} lies outside the domain {domain}",
                "correct one of them",
            )
        return default

    def _read_draw(
        self, name: str, rows: Mapping[str, Any], defaults: Mapping[str, sympy.Rational]
    ) -> tuple[Family, Ends] | None:
        """Return how a parameter is drawn, None where it is not, or cannot be."""
        table: KeyPath = ("parameters", name)
        path: KeyPath = (*table, "distribution")
        distribution = self._get(path, dict)
        if distribution is None:
            return None
        for other, one in rows.items():
            if isinstance(one, dict) and one.get("trainable") is True:
                what = "nothing is trained beside a stochastic parameter"
                self._note(
                    self.source.key(("parameters", other, "trainable")), what, "remove trainable, or distribution"
                )
        if self._get(("kind",), str) == "gated":
            self._note(self.source.key(path), "a gated unit has no stochastic parameters", "make it a number")
        given = [family for family in FAMILIES if family in distribution]
        if len(given) != 1:
            remedy = "write {uniform = [lower, upper]} or {normal = [mean, deviation]}"
            self._note(self.source.key(path), "a distribution is either uniform or normal", remedy)
            return None
        (family,) = given
        written = distribution[family]
        if not isinstance(written, list) or len(written) != 2:
            return None
        start, stop = (self._read_end((*path, family, i), end, name, rows) for i, end in enumerate(written))
        if start is None or stop is None:
            return None
        first, second = (defaults[end] if isinstance(end, str) else end for end in (start, stop))
        if (family == "uniform" and not first < second) or (family == "normal" and second < 0):
            what = "the lower end lies above the upper one" if family == "uniform" else "the deviation is negative"
            self._note(self.source.value((*path, family)), what, "correct them, or their defaults")
        return family, (start, stop)

    def _read_end(self, path: KeyPath, written: Any, name: str, rows: Mapping[str, Any]) -> sympy.Rational | str | None:
        text = written.text if isinstance(written, Written) else str(written)
        if isinstance(written, bool) or not isinstance(written, int | str | Written):
            return None
        if text in rows:
            row = rows[text]
            if text != name and isinstance(row, dict) and "distribution" not in row:
                return text
            self._note(
                self.source.value(path), f"{quoted(text)} is stochastic itself", "write a number, or another parameter"
            )
            return None
        try:
            return exact(text.replace("_", ""))
        except NumberError:
            known = [other for other in rows if other != name]
            remedy = nearest(text, known) or f"write a number, or declare [parameters.{text}]"
            self._note(self.source.value(path), f"{quoted(text)} is neither a number nor a parameter", remedy)
        return None

    def _read_expression(
        self, path: KeyPath, symbols: dict[str, sympy.Symbol], inputs: Sequence[str]
    ) -> sympy.Expr | None:
        text = self._get(path, str)
        if text is None:
            return None
        reading = read_expression(text, symbols, reduces=self._is_axiswise, inputs=inputs)
        for flaw in reading.flaws:
            self._note(self.source.inside(path, text, (flaw.start, flaw.stop)), flaw.message, flaw.remedy)
        return reading.expression

    def _check_symbols(
        self,
        expression: sympy.Expr,
        surrogate: sympy.Expr | None,
        symbols: dict[str, sympy.Symbol],
        inputs: Sequence[sympy.Symbol],
    ) -> None:
        used = expression.free_symbols | (surrogate.free_symbols if surrogate is not None else set())
        place = self.source.value(("expression",))
        unread = [symbol.name for symbol in inputs if symbol not in expression.free_symbols]
        if unread:
            owned = " and ".join(symbol.name for symbol in inputs)
            remedy = f"an activation is a function of its input{'s' * (len(inputs) > 1)} {owned}"
            self._note(place, f"the expression does not depend on {' and '.join(unread)}", remedy)
        elif len(inputs) > 1 and separate(expression, inputs) is None:
            a, b = (symbol.name for symbol in inputs)
            remedy = f"write it as something in {a} alone times something in {b} alone, such as {a} * sigmoid({b})"
            self._note(place, "a gated unit is a product, and this expression is none", remedy)
        elif self._is_axiswise and not any(_reduces(call) for call in expression.atoms(AppliedUndef)):
            remedy = f"use one of {', '.join(REDUCTIONS)} of one argument, or remove kind"
            self._note(place, "the expression reduces over no axis", remedy)
        for name, symbol in symbols.items():
            if symbol not in inputs and symbol not in used:
                key = self.source.key(("parameters", name))
                self._note(key, f"the expression does not depend on {quoted(name)}", "remove the parameter, or use it")


def _reduces(call: sympy.Expr) -> bool:
    """Whether a function application reduces over the axis."""
    return call.func.__name__ in REDUCTIONS and len(call.args) == 1
