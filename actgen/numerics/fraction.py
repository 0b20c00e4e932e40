"""A formula as one fraction: numerator and denominator over exponentials, roots and functions as variables."""

from __future__ import annotations

import math

import sympy as sp


def one_fraction(expression: sp.Expr) -> sp.Expr | None:
    """Numerator and denominator in lowest terms and in factors, every function and root counting as a variable.

    Exponentials of multiples of one exponent are powers of one variable, and so are powers of one root, of which the
    whole powers are what stands under it: exp(x) / S - exp(3 x) / S^3 with S^2 = 1 + exp(2 x) is exp(x) / S^3. Powers
    with a parameter in the exponent that differ by a number are multiples of the least: u^n - u^(n-1) is
    u^(n-1) (u - 1).
    """
    if not expression.has(sp.Add):
        return None
    known: dict[sp.Symbol, sp.Expr] = {}
    body = _without_roots(_without_powers(_without_exponentials(expression, known), known), known)
    roots = [symbol for symbol, value in known.items() if isinstance(value, sp.Pow) and value.exp.is_Rational]
    functions = sorted(body.atoms(sp.Function), key=sp.default_sort_key)
    names = {function: sp.Dummy(real=True) for function in functions}
    body = body.xreplace(names)
    if not body.is_rational_function(*body.free_symbols):
        return None
    top, bottom = sp.fraction(sp.together(body))
    for root in roots:
        relation = root ** sp.Integer(1 / known[root].exp) - known[root].base.xreplace(names)
        top, bottom = (sp.rem(sp.expand(part), relation, root) for part in (top, bottom))
    result = sp.factor(sp.cancel(top / bottom)).xreplace({name: function for function, name in names.items()})
    for symbol, value in reversed(known.items()):
        result = result.xreplace({symbol: value})
    return None if result == expression else result


def _without_exponentials(expression: sp.Expr, known: dict[sp.Symbol, sp.Expr]) -> sp.Expr:
    """Every exp(k u) as the power of a symbol, which is noted; as it is where there are no such multiples."""
    multiples: dict[sp.Expr, list[sp.Rational]] = {}
    for exponential in sorted(expression.atoms(sp.exp), key=sp.default_sort_key):
        number, body = exponential.exp.as_coeff_Mul(rational=True)
        multiples.setdefault(body, []).append(number)
    replaced: dict[sp.Expr, sp.Expr] = {}
    for body, numbers in multiples.items():
        if len(numbers) > 1:
            unit = sp.gcd(list(numbers))
            symbol = sp.Dummy("E", positive=True)
            known[symbol] = sp.exp(unit * body)
            replaced |= {sp.exp(number * body): symbol ** (number / unit) for number in numbers}
    return expression.xreplace(replaced)


def _without_powers(expression: sp.Expr, known: dict[sp.Symbol, sp.Expr]) -> sp.Expr:
    """Every power u^(k p + c), k and c whole numbers, as u^(c - k d) times the power of a symbol for u^(p + d)."""
    families: dict[tuple[sp.Expr, sp.Expr], dict[sp.Pow, tuple[sp.Rational, sp.Integer]]] = {}
    for power in sorted(expression.atoms(sp.Pow), key=sp.default_sort_key):
        c, rest = power.exp.as_coeff_Add()
        k, body = rest.as_coeff_Mul(rational=True)
        if body.free_symbols and c.is_Integer and k.is_Integer and k > 0:
            families.setdefault((power.base, body), {})[power] = (k, c)
    replaced: dict[sp.Expr, sp.Expr] = {}
    for (base, body), members in families.items():
        if len(members) > 1:
            least = min(sp.floor(c / k) for k, c in members.values())
            symbol = sp.Dummy("U", positive=True)
            known[symbol] = base ** (body + least)
            replaced |= {power: symbol**k * base ** (c - k * least) for power, (k, c) in members.items()}
    return expression.xreplace(replaced)


def _without_roots(expression: sp.Expr, known: dict[sp.Symbol, sp.Expr]) -> sp.Expr:
    """Every power with a fractional exponent as the power of a symbol, which is noted."""
    powers = [
        e for e in expression.atoms(sp.Pow) if isinstance(e.exp, sp.Rational) and e.exp.q > 1 and e.base.free_symbols
    ]
    replaced: dict[sp.Expr, sp.Expr] = {}
    for base in sorted({e.base for e in powers}, key=sp.default_sort_key):
        of_base = [e for e in powers if e.base == base]
        unit = sp.Rational(1, math.lcm(*(int(e.exp.q) for e in of_base)))
        symbol = sp.Dummy("S", positive=True)
        known[symbol] = base**unit
        replaced |= {e: symbol ** (e.exp / unit) for e in of_base}
    return expression.xreplace(replaced)


def with_plain_denominator(expression: sp.Expr, x: sp.Symbol) -> sp.Expr | None:
    """A quotient whose denominator is one polynomial in x: (1 + x)^3 has the rounding of 1 + x three times."""
    top, bottom = sp.fraction(expression)
    if not any(isinstance(factor, sp.Pow) for factor in sp.Mul.make_args(bottom)) or not bottom.is_polynomial(x):
        return None
    try:
        return top / sp.horner(sp.expand(bottom), wrt=x)
    except sp.PolynomialError:  # a coefficient such as sqrt(p**-3), which SymPy takes for two things
        return None
