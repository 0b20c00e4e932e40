"""The tables and keys of a spec file, as pydantic models: types, limits, and what each key means.

The JSON schema that editors use and the errors about unknown, missing and mistyped keys come from here. What needs
the place of a character, an expression, a name, a domain, is checked in `reading`.
"""

from __future__ import annotations

import keyword
import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from actgen.spec.text import collapse, first_invisible, quoted

LINE = 300
"""The most characters of a title, a summary, a description or the like."""


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_ .+-]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Written:
    """A TOML float exactly as the file writes it."""

    text: str


def _tidy(text: str) -> str:
    if first_invisible(text) is not None:
        raise _refusal("the text holds a control character or an invisible mark", "remove it")
    tidy = collapse(text)
    if not tidy:
        raise _refusal("the text is empty", "write a short sentence")
    return tidy


def _number(value: Any) -> str:
    match value:
        case Written(text):
            return text
        case bool():
            pass
        case int() | str():
            return str(value)
    raise _refusal("a default is a number", 'write it like 0.25, or "1/6" in quotes')


def _end(value: Any) -> str:
    match value:
        case Written(text):
            return text
        case bool():
            pass
        case int() | str():
            return str(value)
    raise _refusal("an end of a distribution is a number or the name of a parameter", 'write it like 0.25 or "lower"')


def _scalar(value: Any) -> bool | int | float | str:
    match value:
        case Written(text) if math.isfinite(number := float(text.replace("_", ""))):
            return number
        case bool():
            return value
        case int() if abs(value) < 2**63:
            return value
        case str() if _WORD.fullmatch(value):
            return value
    what = "an argument of a builtin is a finite number, a word, true or false"
    raise _refusal(what, "compare at other parameters, or leave the builtin out")


def _keyword(name: str) -> str:
    if _NAME.fullmatch(name) is None or keyword.iskeyword(name):
        raise _refusal("this is not the name of an argument", "write the keyword that the framework's function takes")
    return name


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _address(url: str) -> str:
    if not url.startswith(("https://", "http://")) or len(url) < 10:
        what, remedy = "a url begins with https:// or http://", "write the whole address of the paper's page"
    elif not url.isascii() or not url.isprintable() or any(character in url for character in " \"'<>\\`{}|^"):
        what, remedy = "a url holds no spaces, quotes or other special characters", "percent-encode them"
    else:
        return url
    raise _refusal(what, remedy)


def _refusal(what: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("refused", "{what}", {"what": what, "remedy": remedy})


Line = Annotated[str, Field(max_length=LINE), AfterValidator(_tidy)]
Number = Annotated[
    str,
    BeforeValidator(_number),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[-+0-9./eE ]+$"}]}),
]
Scalar = Annotated[
    bool | int | float | str,
    BeforeValidator(_scalar),
    WithJsonSchema({"type": ["boolean", "number", "string"]}),
]
Url = Annotated[
    str, Field(max_length=LINE), AfterValidator(_address), WithJsonSchema({"type": "string", "format": "uri"})
]
Keyword = Annotated[str, Field(max_length=LINE), AfterValidator(_keyword)]


class Table(BaseModel):
    """A table of a spec file: it knows its keys and refuses others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


End = Annotated[
    str,
    BeforeValidator(_end),
    WithJsonSchema({"type": ["number", "string"]}),
]


class DistributionTable(Table):
    """How a stochastic parameter is drawn, for each element anew: one of the two."""

    uniform: list[End] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="The lower and the upper end: numbers, or names of other parameters.",
    )
    normal: list[End] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="The mean and the standard deviation: numbers, or names of other parameters.",
    )


class ParameterTable(Table):
    """A parameter: a keyword argument of the function, in the order of the tables."""

    default: Number = Field(
        default="",
        description='The default value: a number, exact as written, or a fraction such as "1/6".',
    )
    description: Line = Field(description="What the parameter does, in one sentence.")
    domain: str = Field(
        default="real",
        max_length=LINE,
        description='The allowed values: real, positive, nonnegative, negative, nonpositive, or an interval "[0, 1)".',
    )
    trainable: bool = Field(default=False, description="Whether the module learns it; otherwise it is fixed.")
    shape: Literal["scalar", "channel"] = Field(
        default="scalar", description="For a trainable parameter: one number, or one for each channel."
    )
    distribution: DistributionTable | None = Field(
        default=None, description="How a stochastic parameter is drawn in training; in evaluation it is the mean."
    )


class ReferenceTable(Table):
    """The paper that the activation comes from."""

    title: Line = Field(description="The paper's title.")
    authors: Line = Field(description="The authors' names, as they are to be cited.")
    year: int = Field(ge=1700, le=2100, description="The year it appeared.")
    url: Url = Field(description="Where to read it: an http or https address.")


class BuiltinTable(Table):
    """The same function in a framework, with the arguments that make it the same."""

    name: str = Field(max_length=LINE, description='The full name, such as "torch.nn.functional.gelu".')
    arguments: dict[Keyword, Scalar] = Field(
        default_factory=dict, max_length=16, description="Keyword arguments for it."
    )


# Nothing else is called, whatever a stranger's spec says: torch.save and torch.hub.load are functions too.
_TORCH = (
    r"torch\.(nn\.functional|special)\.[a-z]\w*"
    r"|torch\.(abs|arctan|asinh|atan|celu|cos|cosh|erf|erfc|exp|expm1|floor|hardshrink|log|log1p|prelu|relu|selu"
    r"|sigmoid|sign|sin|sinh|sqrt|square|tan|tanh|threshold)"
)
_KERAS = r"keras\.(activations|ops)\.[a-z]\w*"
_JAX = r"jax\.(nn|numpy|lax|scipy\.special)\.[a-z]\w*"


def _native(pattern: str, example: str) -> tuple[BeforeValidator, AfterValidator, WithJsonSchema]:
    """Return the checks of a builtin, whose name matches `pattern`: generated tests will call it."""

    def check(builtin: BuiltinTable | None) -> BuiltinTable | None:
        if builtin is not None and re.fullmatch(pattern, builtin.name, re.ASCII) is None:
            raise _refusal(f"{quoted(builtin.name)} is not an activation of the framework", f"write, say, {example!r}")
        return builtin

    shorthand = {"type": "string", "pattern": f"^({pattern})$"}
    schema = WithJsonSchema({"anyOf": [shorthand, BuiltinTable.model_json_schema()]})
    return BeforeValidator(_named), AfterValidator(check), schema


_Torch = Annotated[BuiltinTable | None, *_native(_TORCH, "torch.nn.functional.gelu")]
_Keras = Annotated[BuiltinTable | None, *_native(_KERAS, "keras.activations.gelu")]
_Jax = Annotated[BuiltinTable | None, *_native(_JAX, "jax.nn.gelu")]


class BuiltinsTable(Table):
    """The same function where a framework has it already; tests and benchmarks compare at the defaults."""

    torch: _Torch = Field(default=None, description="The function in PyTorch.")
    keras: _Keras = Field(default=None, description="The function in Keras.")
    jax: _Jax = Field(default=None, description="The function in JAX.")


class SurrogateTable(Table):
    """What training uses where the true derivative is useless."""

    derivative: str = Field(description="The derivative that training uses, a formula in x and the parameters.")


class SpecTable(Table):
    """A spec file: one activation function, written down as mathematics."""

    title: Line = Field(description="The activation's name, as people write it.")
    summary: Line = Field(description="What it is, in one sentence.")
    expression: str = Field(description="The formula, in x and the parameters.")
    aliases: list[str] = Field(default_factory=list, max_length=16, description="Other names it goes by.")
    class_name: str | None = Field(
        default=None, description="The class's name, where the file's in CamelCase is wrong."
    )
    kind: Literal["elementwise", "gated", "axiswise"] = Field(
        default="elementwise",
        description="elementwise; gated, of two inputs; axiswise, with reductions over one axis.",
    )
    inputs: list[str] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="Of a gated unit: the names of its two inputs, the halves of one axis.",
    )
    grouped: bool = Field(
        default=False, description='For kind = "axiswise": whether it acts on groups of consecutive elements.'
    )
    folklore: bool = Field(default=False, description="true where no paper can be named; else [reference] is required.")
    parameters: dict[str, ParameterTable] = Field(
        default_factory=dict, max_length=16, description="The parameters, in the order they take as arguments."
    )
    reference: ReferenceTable | None = Field(default=None, description="The paper that the activation comes from.")
    builtins: BuiltinsTable = Field(
        default_factory=BuiltinsTable, description="The same function where a framework has it already."
    )
    surrogate: SurrogateTable | None = Field(
        default=None, description="Only where the true derivative is useless (step, sign): what training uses."
    )
