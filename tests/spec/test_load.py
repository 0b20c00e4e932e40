"""Loading files: what a person sees for every mistake, to the column."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import FrozenInstanceError
from pathlib import Path
from textwrap import dedent

import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actgen.spec import Activation, Builtin, Reference, SpecError, load_spec, load_specs

Load = Callable[..., Activation]
Refuse = Callable[..., str]

SWISH = """\
title = "Swish"
summary = "The identity gated by its own sigmoid; beta sets how hard the gate is."
expression = "x * sigmoid(beta * x)"
aliases = ["silu_beta"]
class_name = "SwishBeta"
kind = "elementwise"

[parameters.beta]
default = 1.0
description = "Slope of the gate."
domain = "real"
trainable = true
shape = "channel"

[reference]
title = "Searching for Activation Functions"
authors = "Ramachandran, Zoph, Le"
year = 2017
url = "https://arxiv.org/abs/1710.05941"

[builtins]
torch = "torch.nn.functional.silu"
keras = {name = "keras.activations.leaky_relu", arguments = {negative_slope = 0.25, n = 3, b = true, s = "tanh"}}

[surrogate]
derivative = "1 / (1 + abs(beta * x))**2"
"""


def test_a_spec_is_read_whole(load: Load) -> None:
    swish = load(SWISH, "swish")
    x, beta = sympy.Symbol("x", real=True), sympy.Symbol("beta", real=True)
    assert (swish.name, swish.class_name, swish.title) == ("swish", "SwishBeta", "Swish")
    assert swish.expression == x * sympy.Function("sigmoid")(beta * x)
    assert swish.expression_text == "x * sigmoid(beta * x)"
    assert (swish.inputs, swish.kind, swish.aliases) == ((x,), "elementwise", ("silu_beta",))
    (parameter,) = swish.parameters
    assert (parameter.name, parameter.default, parameter.trainable, parameter.shape) == ("beta", 1, True, "channel")
    assert (str(parameter.domain), parameter.symbol, parameter.description) == ("real", beta, "Slope of the gate.")
    assert swish.reference == Reference(
        "Searching for Activation Functions", "Ramachandran, Zoph, Le", 2017, "https://arxiv.org/abs/1710.05941"
    )
    arguments: dict[str, bool | int | float | str] = {"negative_slope": 0.25, "n": 3, "b": True, "s": "tanh"}
    assert swish.builtins == {
        "torch": Builtin("torch.nn.functional.silu", {}),
        "keras": Builtin("keras.activations.leaky_relu", arguments),
    }
    assert swish.surrogate == (1 + sympy.Function("Abs")(beta * x)) ** -2
    assert swish.path == "swish.toml"
    assert len(swish.digest) == 64


def test_the_least_a_spec_needs_is_title_summary_expression_and_folklore(load: Load, top: str) -> None:
    probe = load(top)
    assert (probe.class_name, probe.parameters, probe.aliases, probe.builtins) == ("Probe", (), (), {})
    assert (probe.reference, probe.surrogate, probe.kind) == (None, None, "elementwise")


def test_an_activation_cannot_be_changed(load: Load, top: str) -> None:
    with pytest.raises(FrozenInstanceError):
        load(top).name = "other"  # type: ignore[misc]  # mypy knows it too


@pytest.mark.parametrize(
    "written", ["1.67326324235437728481704299167170001", '"1/6"', "1e-3", "7", "-0.25", "1_000.5", "0"]
)
def test_a_default_is_the_number_as_written(load: Load, top: str, written: str) -> None:
    text = top.replace('"x"', '"a*x"') + f'[parameters.a]\ndefault = {written}\ndescription = "A."\n'
    assert load(text).parameters[0].default == sympy.Rational(written.strip('"').replace("_", ""))


def test_parameters_keep_their_order(load: Load, top: str) -> None:
    text = top.replace('"x"', '"x*zeta + alpha"')
    text += "".join(f'[parameters.{name}]\ndefault = 1\ndescription = "P."\n' for name in ("zeta", "alpha"))
    assert [parameter.name for parameter in load(text).parameters] == ["zeta", "alpha"]


def test_an_expression_may_run_over_lines(load: Load, top: str) -> None:
    text = top.replace('"x"', "'''\n  x\n  * tanh(\n\tx)\n'''")
    assert load(text).expression_text == "x * tanh( x)"


def test_white_space_in_texts_is_collapsed(load: Load, top: str) -> None:
    assert load(top.replace('"Probe"', '"""\n  A  probe\n\tfunction """')).title == "A probe function"


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
def test_files_from_windows_are_read(load: Load, top: str, mark: bytes, ending: bytes) -> None:
    assert load(mark + top.encode().replace(b"\n", ending)).title == "Probe"


def test_the_design_s_example_of_an_error(refuse: Refuse) -> None:
    text = SWISH.replace("sigmoid(beta * x)", "sigmiod(beta * x)")
    assert refuse(text, "swish") == dedent("""\
        swish.toml:3:19: unknown function 'sigmiod'; did you mean 'sigmoid'?
          expression = "x * sigmiod(beta * x)"
                            ^^^^^^^""")


CASES = {
    "an unknown key": (
        '\nsumary = "Twice."',
        """\
        probe.toml:6:1: unknown key 'sumary'; did you mean 'summary'?
          sumary = "Twice."
          ^^^^^^""",
    ),
    "an unknown key in a table": (
        '[parameters.a]\ndefault = 1\ndescription = "A."\nrange = "real"',
        """\
        probe.toml:8:1: unknown key 'range'; \
the keys in [parameters.a] are default, description, domain, trainable, shape, distribution
          range = "real"
          ^^^^^""",
    ),
    "an unknown key in an inline table": (
        'builtins = {torhc = "torch.tanh"}',
        """\
        probe.toml:5:13: unknown key 'torhc'; did you mean 'torch'?
          builtins = {torhc = "torch.tanh"}
                      ^^^^^""",
    ),
    "a default outside its domain": (
        '[parameters.a]\ndefault = 1.5  # too much\ndescription = "A."\ndomain = "[0, 1]"',
        """\
        probe.toml:6:11: the default 1.5 lies outside the domain [0, 1]; correct one of them
          default = 1.5  # too much
                    ^^^""",
    ),
    "a domain that is none": (
        '[parameters.a]\ndefault = 1\ndescription = "A."\ndomain = "[1, 0]"',
        """\
        probe.toml:8:10: the interval '[1, 0]' holds no range of numbers; put the lower bound first
          domain = "[1, 0]"
                   ^^^^^^^^""",
    ),
    "a default that is infinite": (
        '[parameters.a]\ndefault = inf\ndescription = "A."',
        """\
        probe.toml:6:11: the default 'inf' cannot be used: a number is written like 3, 0.25, 1e-3 or "1/6"; \
write it like 0.25, or "1/6" in quotes
          default = inf
                    ^^^""",
    ),
    "a default of enormous size": (
        '[parameters.a]\ndefault = 1e999999999\ndescription = "A."',
        """\
        probe.toml:6:11: the default '1e999999999' cannot be used: the number lies outside the range of float64; \
write it like 0.25, or "1/6" in quotes
          default = 1e999999999
                    ^^^^^^^^^^^""",
    ),
    "a default that is a truth value": (
        '[parameters.a]\ndefault = true\ndescription = "A."',
        """\
        probe.toml:6:11: parameters.a.default: a default is a number; write it like 0.25, or "1/6" in quotes
          default = true
                    ^^^^""",
    ),
    "a parameter that is a keyword": (
        '[parameters.lambda]\ndefault = 1\ndescription = "L."',
        """\
        probe.toml:5:13: 'lambda' cannot name a parameter: it is a word of Python; choose another name
          [parameters.lambda]
                      ^^^^^^""",
    ),
    "a quoted parameter that is no name": (
        '[parameters."a b"]\ndefault = 1\ndescription = "L."',
        """\
        probe.toml:5:13: 'a b' cannot name a parameter; \
names are letters a-z, digits and single underscores, a letter first
          [parameters."a b"]
                      ^^^^^""",
    ),
    "a shape without training": (
        '[parameters.a]\ndefault = 1\ndescription = "A."\nshape = "channel"',
        """\
        probe.toml:8:1: only a trainable parameter has a shape; remove shape, or add trainable = true
          shape = "channel"
          ^^^^^""",
    ),
    "a parameter that is unused": (
        '[parameters.a]\ndefault = 1\ndescription = "A."',
        """\
        probe.toml:5:13: the expression does not depend on 'a'; remove the parameter, or use it
          [parameters.a]
                      ^""",
    ),
    "inputs of an elementwise activation": (
        'inputs = ["a", "b"]',
        """\
        probe.toml:5:1: inputs belong to gated units; the input here is x; remove it, or write kind = "gated"
          inputs = ["a", "b"]
          ^^^^^^""",
    ),
    "an axiswise activation without a reduction": (
        'kind = "axiswise"',
        """\
        probe.toml:3:14: the expression reduces over no axis; \
use one of Sum, Mean, Max, Min of one argument, or remove kind
          expression = "x"
                       ^^^""",
    ),
    "an axiswise activation that is trained": (
        'kind = "axiswise"\n[parameters.a]\ndefault = 1\ndescription = "A."\ntrainable = true',
        """\
        probe.toml:9:1: parameters of axis-wise activations are not trained; \
remove trainable; a hyperparameter is a number given by the caller
          trainable = true
          ^^^^^^^^^""",
    ),
    "groups of an elementwise activation": (
        "grouped = true",
        """\
        probe.toml:5:1: only an axis-wise activation acts on groups; remove it, or add kind = "axiswise"
          grouped = true
          ^^^^^^^""",
    ),
    "a kind with a typo": (
        'kind = "elementwize"',
        """\
        probe.toml:5:8: kind cannot be 'elementwize'; did you mean 'elementwise'?
          kind = "elementwize"
                 ^^^^^^^^^^^^^""",
    ),
    "an alias that is no name": (
        'aliases = ["fine", "Not Fine"]',
        """\
        probe.toml:5:20: 'Not Fine' cannot name an alias; \
names are snake_case: a-z, 0-9 and single underscores, a letter first
          aliases = ["fine", "Not Fine"]
                             ^^^^^^^^^^""",
    ),
    "an alias of itself": (
        'aliases = ["probe"]',
        """\
        probe.toml:5:12: the alias 'probe' says again what is said already; remove it
          aliases = ["probe"]
                     ^^^^^^^""",
    ),
    "a class name that is taken": (
        'class_name = "Tensor"',
        """\
        probe.toml:5:14: 'Tensor' cannot name a class: it is used by the emitted code or its framework; \
choose another name
          class_name = "Tensor"
                       ^^^^^^^^""",
    ),
    "a url that is none": (
        'reference = {title = "T", authors = "A", year = 2000, url = "javascript:alert(1)"}',
        """\
        probe.toml:5:61: reference.url: a url begins with https:// or http://; \
write the whole address of the paper's page
          reference = {title = "T", authors = "A", year = 2000, url = "javascript:alert(1)"}
                                                                      ^^^^^^^^^^^^^^^^^^^^^""",
    ),
    "a url with a quote": (
        'reference = {title = "T", authors = "A", year = 2000, url = "https://a.b/\\"c"}',
        """\
        probe.toml:5:61: reference.url: a url holds no spaces, quotes or other special characters; percent-encode them
          reference = {title = "T", authors = "A", year = 2000, url = "https://a.b/\\"c"}
                                                                      ^^^^^^^^^^^^^^^^^""",
    ),
    "a builtin that writes files": (
        'builtins = {torch = {name = "torch.save", arguments = {f = "x"}}}',
        """\
        probe.toml:5:21: builtins.torch: 'torch.save' is not an activation of the framework; \
write, say, 'torch.nn.functional.gelu'
          builtins = {torch = {name = "torch.save", arguments = {f = "x"}}}
                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^""",
    ),
    "a builtin behind a module": (
        'builtins = {torch = "torch.nn.functional.torch.save"}',
        """\
        probe.toml:5:21: builtins.torch: 'torch.nn.functional.torch.save' is not an activation of the framework; \
write, say, 'torch.nn.functional.gelu'
          builtins = {torch = "torch.nn.functional.torch.save"}
                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^""",
    ),
    "an argument that is code": (
        "builtins = {torch = {name = 'torch.tanh', arguments = {\"a=1); import os; f(b\" = 1}}}",
        """\
        probe.toml:5:56: builtins.torch.arguments.a=1); import os; f(b: this is not the name of an argument; \
write the keyword that the framework's function takes
          builtins = {torch = {name = 'torch.tanh', arguments = {"a=1); import os; f(b" = 1}}}
                                                                 ^^^^^^^^^^^^^^^^^^^^^^""",
    ),
    "a surrogate with a typo": (
        '[surrogate]\nderivative = "1 / (1 + x**2"',
        """\
        probe.toml:6:19: this parenthesis is never closed; add a ')'
          derivative = "1 / (1 + x**2"
                            ^""",
    ),
    "a table in place of a text": (
        "class_name = {a = 1}",
        """\
        probe.toml:5:14: class_name must be a text in quotes, not a table; \
the class's name, where the file's in CamelCase is wrong
          class_name = {a = 1}
                       ^^^^^^^""",
    ),
}


@pytest.mark.parametrize("mistake", CASES)
def test_a_mistake_is_shown_where_it_is_with_what_to_do(refuse: Refuse, top: str, mistake: str) -> None:
    addition, message = CASES[mistake]
    if "reference = {" in addition:
        top = top.replace("folklore = true", "folklore = false")
    expected = dedent(message)
    assert expected in refuse(top + addition + "\n")


FORMULAS = {
    "an import": (
        "\"__import__('os').system('ls')\"",
        """\
        probe.toml:3:15: '__import__' is not a name that an expression can use; \
an expression knows x, its parameters, pi, E and the listed functions
          expression = "__import__('os').system('ls')"
                        ^^^^^^^^^^""",
    ),
    "a power beyond bounds": (
        '"x**(10**9)"',
        """\
        probe.toml:3:19: the exponent is too large; constant exponents lie between -64 and 64
          expression = "x**(10**9)"
                            ^^^^^""",
    ),
    "a basic string with escapes": (
        r'"\u0078 + \t foo"',
        r"""        probe.toml:3:27: unknown name 'foo'; declare it as [parameters.foo], or use one of x, pi, E
          expression = "\u0078 + \t foo"
                                    ^^^""",
    ),
    "a literal string": (
        "'x + foo'",
        """\
        probe.toml:3:19: unknown name 'foo'; declare it as [parameters.foo], or use one of x, pi, E
          expression = 'x + foo'
                            ^^^""",
    ),
    "a multi-line string": (
        '"""\n  x\n  + foo"""',
        '''\
        probe.toml:5:5: unknown name 'foo'; declare it as [parameters.foo], or use one of x, pi, E
            + foo"""
              ^^^''',
    ),
    "a line continued": (
        '"""x + \\\n     foo"""',
        '''\
        probe.toml:4:6: unknown name 'foo'; declare it as [parameters.foo], or use one of x, pi, E
               foo"""
               ^^^''',
    ),
    "letters of two columns": (
        '"日 + x"',
        """\
        probe.toml:3:15: '日' is not part of an expression; \
use numbers, names, functions and + - * / ** < <= > >= == != & |
          expression = "日 + x"
                        ^^""",
    ),
    "an end too early": (
        '"x +"',
        """\
        probe.toml:3:18: the expression ends where a value should follow; complete or shorten it
          expression = "x +"
                           ^""",
    ),
    "nothing": (
        '""',
        """\
        probe.toml:3:15: the expression is empty; write the formula, such as "x * sigmoid(x)"
          expression = ""
                        ^""",
    ),
    "a constant": (
        '"1 + x - x"',
        """\
        probe.toml:3:14: the expression does not depend on x; an activation is a function of its input x
          expression = "1 + x - x"
                       ^^^^^^^^^^^""",
    ),
}


@pytest.mark.parametrize("mistake", FORMULAS)
def test_a_caret_points_into_the_formula(refuse: Refuse, top: str, mistake: str) -> None:
    formula, message = FORMULAS[mistake]
    assert refuse(top.replace('"x"', formula)) == dedent(message)


def test_five_thousand_parentheses_get_one_paragraph(refuse: Refuse, top: str) -> None:
    message = refuse(top.replace('"x"', '"' + "(" * 5000 + "x" + ")" * 5000 + '"'))
    lines = message.splitlines()
    assert lines[0] == ("probe.toml:3:47: parentheses are nested more than 32 deep; simplify the expression")
    assert lines[1][lines[2].index("^")] == "("
    assert max(map(len, lines)) < 120


BROKEN = {
    "a text without quotes": (
        "title = Probe\n",
        """\
        probe.toml:1:9: this is not TOML: invalid value; put the text in quotes: title = "Probe"
          title = Probe
                  ^""",
    ),
    "a key twice": (
        'title = "A"\ntitle = "B"\n',
        """\
        probe.toml:2:12: this is not TOML: cannot overwrite a value; this key or table stands in the file twice; \
remove one
          title = "B"
                     ^""",
    ),
    "an end too early": (
        'title = "A"\n[parameters',
        """\
        probe.toml:2:12: this is not TOML: expected ']' at the end of a table declaration; \
correct the TOML here; texts stand in double quotes, tables in [brackets]
          [parameters
                     ^""",
    ),
    "a byte that is not UTF-8": (
        b'title = "A"\nsummary = "caf\xe9"\n',
        """\
        probe.toml:2:15: the byte 0xE9 is not UTF-8; save the file as UTF-8
          summary = "caf\N{REPLACEMENT CHARACTER}"
                        ^""",
    ),
    "UTF-16": ("title".encode("utf-16"), "probe.toml:1:1: the file is encoded as UTF-16; save the file as UTF-8"),
    "nothing": (b"", "probe.toml:1:1: the file is empty; write title, summary and expression into it"),
    "white space": (b" \n\t\n", "probe.toml:1:1: the file is empty; write title, summary and expression into it"),
    "too much": (b"#" * 65537, "probe.toml: the file is larger than 64 KiB; a spec holds one activation"),
    "arrays too deep": (
        "a = " + "[" * 30000 + "]" * 30000,
        "probe.toml:1:1: arrays or tables are nested too deeply; a spec needs no arrays in arrays",
    ),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_file_that_cannot_be_read_says_why_and_where(refuse: Refuse, mistake: str) -> None:
    content, message = BROKEN[mistake]
    assert refuse(content) == dedent(message)


@pytest.mark.parametrize(
    "content",
    ["a = " + "9" * 60000, "a." * 30000 + "a = 1", '"a".' * 16000 + "a=1", "k = " + "{a=" * 9000 + "1" + "}" * 9000],
)
def test_a_hostile_file_is_refused_within_a_second(refuse: Refuse, content: str) -> None:
    start = time.perf_counter()
    assert refuse(content).startswith("probe.toml:1:")
    assert time.perf_counter() - start < 1


def test_a_file_of_thousands_of_keys_gets_a_short_message(refuse: Refuse) -> None:
    assert len(refuse("".join(f"k{index} = 1\n" for index in range(5000))).splitlines()) < 200


def test_missing_keys_are_named_with_what_they_hold(refuse: Refuse) -> None:
    message = refuse("[parameters.a]\ndefault = 1\n")
    assert "probe.toml:1:1: the key 'title' is missing; add it: the activation's name, as people write it" in message
    assert "the key 'summary' is missing" in message
    assert "the key 'expression' is missing" in message
    assert "probe.toml:1:13: the key 'parameters.a.description' is missing" in message
    assert "the reference is missing; add [reference] with title, authors, year and url, or folklore = true" in message


def test_a_reference_and_folklore_exclude_each_other(refuse: Refuse, top: str) -> None:
    reference = '[reference]\ntitle = "T"\nauthors = "A"\nyear = 2000\nurl = "https://a.example"\n'
    assert "folklore = true contradicts [reference]" in refuse(top + reference)


@pytest.mark.parametrize("text", ["\\u202e", "\\u2028", "\\u0085", "\\u0000", "\\u001b[31m", "\\u200b"])
@pytest.mark.parametrize("key", ["title", "summary"])
def test_invisible_characters_in_texts_are_refused(refuse: Refuse, top: str, key: str, text: str) -> None:
    word = {"title": '"Probe"', "summary": '"A function to try things on."'}[key]
    assert f"{key}: the text holds a control character" in refuse(top.replace(word, f'"a{text}b"'))


def test_long_texts_are_refused(refuse: Refuse, top: str) -> None:
    assert "title is 301 characters long; use at most 300" in refuse(top.replace('"Probe"', f'"{"a" * 301}"'))


def test_all_mistakes_of_a_file_are_shown_in_its_order(write: Callable[..., Path], top: str) -> None:
    text = top.replace('"x"', '"x * foo + bar(x)"') + 'titel = "T"\nkind = 3\n[parameters.a]\ndefault = "one"\n'
    with pytest.raises(SpecError) as caught:
        load_spec(write(text))
    assert [problem.line for problem in caught.value.problems] == [3, 3, 5, 6, 7, 8]


@pytest.mark.parametrize("name", ["2relu", "lambda", "Mish", "torch", "nul"])
def test_the_file_s_name_must_be_fit_for_a_function(refuse: Refuse, top: str, name: str) -> None:
    assert refuse(top, name).startswith(f"{name}.toml: '{name}' cannot name an activation")


def test_a_missing_file_is_an_error_of_the_spec() -> None:
    with pytest.raises(SpecError, match=r"^nowhere/mish\.toml: the file cannot be read \(no such file or directory\)"):
        load_spec(Path("nowhere/mish.toml"))


def test_a_folder_is_loaded_sorted_by_name(write: Callable[..., Path], top: str) -> None:
    for name in ("zeta", "alpha_two", "alpha"):
        write(top, name)
    Path("README.md").write_text("not a spec")
    Path(".hidden.toml").write_text("not a spec")
    assert [activation.name for activation in load_specs(Path())] == ["alpha", "alpha_two", "zeta"]


def test_all_mistakes_of_all_files_are_shown_in_one_run(write: Callable[..., Path], top: str) -> None:
    write(top.replace('"x"', '"x * foo"'), "one")
    write("title = ", "two")
    write(b"\xff", "three")
    write(top, "four")
    with pytest.raises(SpecError) as caught:
        load_specs(Path())
    assert [problem.path for problem in caught.value.problems] == ["one.toml", "three.toml", "two.toml"]


def test_two_files_cannot_claim_one_name(write: Callable[..., Path], top: str) -> None:
    write(top + 'aliases = ["second", "shared"]\n', "first")
    write(top + 'aliases = ["shared"]\nclass_name = "First"\n', "second")
    with pytest.raises(SpecError) as caught:
        load_specs(Path())
    assert str(caught.value).splitlines()[0] == (
        "second.toml:1:1: the name 'second' is taken: first.toml has it too; choose another name in one of the files"
    )
    message = str(caught.value)
    assert "second.toml:5:12: the name 'shared' is taken: first.toml has it too" in message
    assert "second.toml:6:14: the name 'First' is taken: first.toml has it too" in message


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda: None, "specs: this folder does not exist; name the folder that holds the *.toml specs"),
        (
            lambda: Path("specs").mkdir(),
            "specs: this folder holds no specs; write one activation into a file NAME.toml",
        ),
        (lambda: Path("specs").touch(), "specs: this is a file, not a folder of specs"),
    ],
)
def test_a_folder_without_specs_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[], object], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare()
    with pytest.raises(SpecError) as caught:
        load_specs(Path("specs"))
    assert str(caught.value).startswith(message)


def test_a_folder_named_like_a_spec_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mish.toml").mkdir()
    with pytest.raises(SpecError, match="this is not a file"):
        load_specs(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=3000, max_examples=150)
@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_but_a_spec_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "probe.toml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(caught.value)


_VALUES = st.sampled_from(
    [
        "1",
        "1.5",
        "true",
        '"x"',
        "'''\nx'''",
        "[]",
        "[1]",
        '["a"]',
        "{}",
        "{a = 1}",
        "1979-05-27",
        "inf",
        '"real"',
        '"gated"',
    ]
)
_KEYS = st.sampled_from(
    """title summary expression aliases class_name kind inputs folklore parameters reference builtins surrogate
    parameters.a parameters.a.default parameters.a.domain reference.year reference.url builtins.torch
    builtins.torch.arguments surrogate.derivative zzz "quoted key" zzz.a""".replace('"quoted key"', "quoted").split()
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=3000, max_examples=300)
@given(st.dictionaries(_KEYS, _VALUES, max_size=12))
def test_any_value_under_any_key_raises_nothing_but_a_spec_error(tmp_path: Path, table: dict[str, str]) -> None:
    path = tmp_path / "probe.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in table.items()), newline="\n")
    with suppress(SpecError):
        load_spec(path)


def test_the_package_imports_neither_sympy_nor_pydantic() -> None:
    code = "import sys, actgen.spec; print(sorted({'sympy', 'pydantic', 'tree_sitter'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
