"""Expressions: from the text of a formula to a SymPy expression, node by node, with nothing evaluated by Python.

Arithmetic, `Piecewise` and comparisons become the SymPy nodes of that name; a function call becomes the application
of an undefined function, so that SymPy neither evaluates nor rewrites it. Numbers are the exact rationals that the
text writes.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from actgen.spec import arithmetic, grammar
from actgen.spec.arithmetic import FoldError
from actgen.spec.grammar import Flaw
from actgen.spec.number import NumberError, exact
from actgen.spec.problem import nearest
from actgen.spec.text import quoted
from actgen.spec.vocabulary import ALIASES, AXISWISE, CONSTANTS, FUNCTIONS, INPUT, REDUCED, REDUCTIONS, REMEDIES

_OPERATIONS = {
    ast.Add: arithmetic.add,
    ast.Sub: arithmetic.subtract,
    ast.Mult: arithmetic.multiply,
    ast.Div: arithmetic.divide,
    ast.Pow: arithmetic.power,
}
_COMPARISONS: dict[type[ast.cmpop], type[Relational]] = {
    ast.Lt: sympy.Lt,
    ast.LtE: sympy.Le,
    ast.Gt: sympy.Gt,
    ast.GtE: sympy.Ge,
    ast.Eq: sympy.Eq,
    ast.NotEq: sympy.Ne,
}
_CONSTANTS = {"pi": sympy.pi, "E": sympy.E}
_CONDITIONS = "conditions stand in Piecewise((value, condition), ..., (value, True)) only"


@dataclass(frozen=True)
class Reading:
    """What came of reading an expression: the expression, or else everything that is wrong with it."""

    expression: sympy.Expr | None
    flaws: tuple[Flaw, ...]


def read_expression(
    text: str, symbols: Mapping[str, sympy.Symbol], *, reduces: bool = False, inputs: Sequence[str] = ()
) -> Reading:
    """Read a formula in the given symbols; `reduces` allows Sum, Mean, and Max and Min of one argument.

    Where there are several `inputs`, whoever writes x is told their names.

    Returns the expression and no flaws, or no expression and at least one flaw; never raises for any text.
    """
    try:
        tree = grammar.parse(text)
    except grammar.GrammarError as refusal:
        return Reading(None, (refusal.flaw,))
    builder = _Builder(text, symbols, reduces=reduces, inputs=inputs)
    expression = builder.value(tree)
    if expression is not None and not builder.flaws:
        try:
            return Reading(arithmetic.finish(expression), ())
        except FoldError as error:
            builder.flaw(tree, str(error), error.remedy)
    return Reading(None, tuple(builder.flaws))


def find(text: str, symbols: Mapping[str, sympy.Symbol], part: sympy.Expr) -> tuple[int, int] | None:
    """Return the characters of a formula that stand for a part of it, the first; None if none do.

    SymPy sorts what it reads: of x/(1 - x) it makes a product with (1 - x)**-1, which stands nowhere, but 1 - x does.
    """
    try:
        tree = grammar.parse(text)
    except grammar.GrammarError:
        return None
    builder = _Builder(text, symbols, reduces=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call | ast.BinOp | ast.Name) and builder.value(node) == part:
            return node.col_offset, node.end_col_offset or 0
    return None


class _Builder:
    """Walks a syntax tree; a method returns None where it has noted a flaw, and its siblings are still walked."""

    def __init__(
        self, text: str, symbols: Mapping[str, sympy.Symbol], *, reduces: bool, inputs: Sequence[str] = ()
    ) -> None:
        self.text = text
        self.symbols = symbols
        self.reduces = reduces
        self.inputs = inputs
        self.flaws: list[Flaw] = []

    def flaw(self, node: ast.expr, message: str, remedy: str = "") -> None:
        self.flaws.append(Flaw(node.col_offset, node.end_col_offset or 0, message, remedy))

    def value(self, node: ast.expr) -> sympy.Expr | None:
        match node:
            case ast.Constant(value=True):
                self.flaw(node, "True is no number", "it stands as the last condition of a Piecewise only")
            case ast.Constant():
                return self.number(node)
            case ast.Name():
                return self.name(node)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                inner = self.value(operand)
                return inner if inner is None or isinstance(sign, ast.UAdd) else -inner
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr()) | ast.Compare():
                self.flaw(node, "a condition stands where a value is needed", _CONDITIONS)
            case ast.BinOp():
                return self.operation(node)
            case ast.Call():
                return self.call(node)
            case ast.Tuple():
                self.flaw(node, "a list of values stands where one value is needed", "remove the comma")
            case _:
                self.flaw(node, "this is not part of an expression", "an expression is arithmetic only")
        return None

    def number(self, node: ast.Constant) -> sympy.Expr | None:
        try:
            return exact(self.text[node.col_offset : node.end_col_offset])
        except NumberError as error:
            self.flaw(node, str(error), "write one of ordinary size")
        return None

    def name(self, node: ast.Name) -> sympy.Expr | None:
        name = node.id
        found = self.symbols.get(name) or _CONSTANTS.get(name)
        if found is not None:
            return found
        if name in FUNCTIONS or name in ALIASES or name in AXISWISE or name == "Piecewise":
            self.flaw(node, f"the function {quoted(name)} stands without arguments", f"call it: {name}(...)")
        elif name in ("inf", "oo", "nan", "infinity"):
            self.flaw(node, f"an expression has no {quoted(name)}", "write the formula with finite numbers")
        elif name == INPUT and len(self.inputs) > 1:
            remedy = f"the inputs of a gated unit are {' and '.join(self.inputs)}"
            self.flaw(node, f"unknown name {quoted(name)}", remedy)
        else:
            known = [*self.symbols, *CONSTANTS]
            guess = nearest(name, known) or f"declare it as [parameters.{name}], or use one of {', '.join(known)}"
            self.flaw(node, f"unknown name {quoted(name)}", guess)
        return None

    def operation(self, node: ast.BinOp) -> sympy.Expr | None:
        left, right = self.value(node.left), self.value(node.right)
        if left is None or right is None:
            return None
        try:
            return _OPERATIONS[type(node.op)](left, right)
        except KeyError:
            self.flaw(node, "this operation is not part of an expression", "use + - * / **")
        except FoldError as error:
            self.flaw(node.right if error.is_right else node, str(error), error.remedy)
        return None

    def call(self, node: ast.Call) -> sympy.Expr | None:
        if not isinstance(node.func, ast.Name):
            self.flaw(node.func, "this is not a function", "write * for a product")
            return None
        name = node.func.id
        if name == "Piecewise":
            return self.piecewise(node)
        arguments = [self.value(argument) for argument in node.args]
        entry = FUNCTIONS.get(ALIASES.get(name, name))
        if ALIASES.get(name, name) in REDUCTIONS and (name in AXISWISE or len(node.args) == 1):
            return self.reduction(node, ALIASES.get(name, name), arguments)
        if entry is None:
            self.unknown(node.func)
        elif not entry.takes(len(node.args)):
            self.arity(node, name, len(node.args))
        elif None not in arguments:
            return sympy.Function(entry.name)(*arguments)
        return None

    def reduction(self, node: ast.Call, name: str, arguments: list[sympy.Expr | None]) -> sympy.Expr | None:
        if len(arguments) != 1:
            self.flaw(node, f"{name} takes 1 argument, not {len(arguments)}", f"it is the {REDUCTIONS[name]}")
        elif not self.reduces:
            remedy = 'add kind = "axiswise" to the file'
            if name not in AXISWISE:
                remedy = f"give {name} what to compare with, or {remedy}"
            self.flaw(node.func, f"{name} of one argument reduces over an axis", remedy)
        elif arguments[0] is not None:
            return sympy.Function(name)(arguments[0])
        return None

    def unknown(self, node: ast.Name) -> None:
        name = node.id
        if name in self.symbols or name in CONSTANTS:
            self.flaw(node, f"{quoted(name)} is not a function", "write * for a product")
            return
        reductions = AXISWISE if self.reduces else ()
        guess = REMEDIES.get(name) or nearest(name, [*FUNCTIONS, *ALIASES, *reductions, "Piecewise"])
        if name in REDUCED:
            guess = f"write {REDUCED[name]}(u)" + ("" if self.reduces else ' with kind = "axiswise"')
        self.flaw(node, f"unknown function {quoted(name)}", guess or f"the functions are {', '.join(FUNCTIONS)}")

    def arity(self, node: ast.Call, name: str, count: int) -> None:
        entry = FUNCTIONS[ALIASES.get(name, name)]
        is_to_base = entry.name == "log" and count == 2
        remedy = "write log(u) / log(base)" if is_to_base else f"it is {entry.meaning}"
        self.flaw(node, f"{name} takes {entry.arguments}, not {count}", remedy)

    def piecewise(self, node: ast.Call) -> sympy.Expr | None:
        if len(node.args) < 2:
            self.flaw(node, "a Piecewise needs two branches or more", "add (value, True)")
            return None
        pairs: list[tuple[sympy.Expr, Boolean]] = []
        for branch in node.args:
            if not isinstance(branch, ast.Tuple) or len(branch.elts) != 2:
                self.flaw(branch, "a branch of a Piecewise is a pair (value, condition)", "write it so")
                continue
            is_last = branch is node.args[-1]
            value, condition = self.value(branch.elts[0]), self.branch_condition(branch.elts[1], is_last=is_last)
            if value is not None and condition is not None:
                pairs.append((value, condition))
        if len(pairs) < len(node.args):
            return None
        return sympy.Piecewise(*pairs, evaluate=False)

    def branch_condition(self, node: ast.expr, *, is_last: bool) -> Boolean | None:
        is_true = isinstance(node, ast.Constant) and node.value is True
        if is_true and is_last:
            return sympy.true
        if is_true:
            self.flaw(node, "branches after the condition True are never reached", "move this branch to the end")
        elif is_last:
            self.flaw(node, "the last condition of a Piecewise must be True", "end with (value, True)")
        else:
            return self.condition(node)
        return None

    def condition(self, node: ast.expr) -> Boolean | None:
        match node:
            case ast.Compare():
                found = self.comparison(node)
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as operator, right=right):
                first, second = self.condition(left), self.condition(right)
                if first is None or second is None:
                    return None
                found = sympy.And(first, second) if isinstance(operator, ast.BitAnd) else sympy.Or(first, second)
            case _:
                remedy = "compare with < <= > >= == !=; around & and |, put each comparison into parentheses"
                self.flaw(node, "a value stands where a condition is needed", remedy)
                return None
        if found in (sympy.true, sympy.false):
            self.flaw(node, f"this condition is always {str(found).lower()}", "remove the branch that is never reached")
            return None
        return found

    def comparison(self, node: ast.Compare) -> Boolean | None:
        for side in (node.left, *node.comparators):
            if isinstance(side, ast.BinOp) and isinstance(side.op, ast.BitAnd | ast.BitOr):
                self.flaw(side, "& and | bind tighter than comparisons", "write (a < b) & (c < d)")
                return None
        sides = [self.value(side) for side in (node.left, *node.comparators)]
        links: list[Boolean] = []
        for left, right, operator in zip(sides[:-1], sides[1:], node.ops, strict=True):
            if left is None or right is None:
                continue
            if left.has(sympy.Piecewise) or right.has(sympy.Piecewise):
                self.flaw(node, "a condition cannot hold a Piecewise", "split it into more branches")
            elif left.is_extended_real is False or right.is_extended_real is False:
                self.flaw(node, "this compares something that is no real number", "keep the bases of powers positive")
            elif left.is_number and right.is_number:
                self.flaw(node, "this compares two constants", "keep the branch that holds and remove the other")
            else:
                links.append(_COMPARISONS[type(operator)](left, right))
        if len(links) < len(node.ops):
            return None
        return links[0] if len(links) == 1 else sympy.And(*links)
