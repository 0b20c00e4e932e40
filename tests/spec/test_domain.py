from fractions import Fraction

import pytest
import sympy

from actgen.spec.domain import Domain, DomainError


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("real", [0, -1e308, 5], [float("nan"), float("inf"), -float("inf")]),
        ("positive", [1e-300, 1], [0, -1]),
        ("nonnegative", [0, 1], [-1e-300]),
        ("negative", [-1], [0, 1]),
        ("nonpositive", [0, -1], [1e-300]),
        ("[0, 1]", [0, 1, Fraction(1, 2)], [-1e-9, 1 + 1e-9]),
        ("[0, 1)", [0], [1]),
        ("(0, 1]", [1], [0]),
        ("(0, inf)", [1e300], [0, float("inf")]),
        ("[-1/3, 0.1]", [sympy.Rational(-1, 3), sympy.Rational(1, 10)], [Fraction(-34, 100), 0.1]),
    ],
)
def test_a_domain_holds_its_numbers_and_no_others(text: str, inside: list[object], outside: list[object]) -> None:
    # The float 0.1 is a little above the number 0.1, so it is outside of the last one.
    domain = Domain.parse(text)
    assert [value in domain for value in inside] == [True] * len(inside)
    assert [value in domain for value in outside] == [False] * len(outside)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("real", "real"), ("[0,1)", "[0, 1)"), (" ( -inf , 0.50 ] ", "(-inf, 1/2]"), ("(0, +inf)", "(0, inf)")],
)
def test_a_domain_is_shown_as_a_person_would_write_it(text: str, shown: str) -> None:
    assert str(Domain.parse(text)) == shown
    assert Domain.parse(shown) == Domain.parse(text)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("real", {}),
        ("positive", {"positive": True}),
        ("(0, 1)", {"positive": True}),
        ("[0, 1)", {"nonnegative": True}),
        ("[1/8, 1/3]", {"positive": True}),
        ("[-1, 1]", {}),
        ("(-1, 0)", {"negative": True}),
        ("[-1, 0]", {"nonpositive": True}),
    ],
)
def test_the_algebra_may_assume_what_the_domain_implies_and_no_more(text: str, known: dict[str, bool]) -> None:
    assert Domain.parse(text).assumptions == {"real": True, **known}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("reel", "is not a domain"),
        ("", "is not a domain"),
        ("0, 1", "is not a domain"),
        ("[0 1]", "is not a domain"),
        ("[0, 1, 2]", "is not a domain"),
        ("[0, inf]", "infinity belongs to no domain"),
        ("[-inf, 0]", "infinity belongs to no domain"),
        ("[1, 0]", "put the lower bound first"),
        ("[1, 1]", "put the lower bound first"),
        ("[a, 1]", "is no bound"),
        ("[1/0, 1]", "division by zero"),
        ("(inf, -inf)", "put the lower bound first"),
    ],
)
def test_what_is_no_domain_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(DomainError, match=reason):
        Domain.parse(text)
