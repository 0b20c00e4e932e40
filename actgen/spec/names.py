"""Names that may stand in emitted Python: of activations, classes, parameters and aliases.

A name from a spec file becomes an identifier in somebody's module, an attribute of a `torch.nn.Module` and of
a `keras.Layer`, a keyword argument, a file name. Each of these takes some names away.
"""

from __future__ import annotations

import builtins
import keyword
import re

from actgen.spec.vocabulary import ALIASES, AXISWISE, CONSTANTS, FUNCTIONS, INPUT

LONGEST = 40
"""The most characters of a name."""

_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_SNAKE_RULE = "snake_case: a-z, 0-9 and single underscores, a letter first"
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", re.ASCII)
_CAMEL = re.compile(r"[A-Z][A-Za-z0-9]*", re.ASCII)

PYTHON = frozenset(keyword.kwlist) | frozenset(keyword.softkwlist) | frozenset(dir(builtins))
"""Keywords of Python and names of its builtins, which nothing may be called."""

_MODULES = """
    actgen annotations array autograd collections dataclasses flax functools functional jax jnp keras lax math mx
    nn np numpy ops pytest tensorflow tests tf torch typing
""".split()

_DEVICES = "con prn aux nul com0 com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt0 lpt1 lpt2 lpt3 lpt4".split()

_CLASSES = """
    Any Array ArrayLike Callable Function Generic Iterable Iterator KerasTensor Layer Literal Mapping Module NamedTuple
    Optional Parameter Self Sequence Tensor TypeVar Union Variable
""".split()

# Names that emitted functions and classes use for themselves.
_EMITTED = """
    arg args argument arguments axis backward bwd cls config context cotangent ctx device dim dims dtype dx dy fwd
    generate_vmap_rule grad grad_output gradient gradients in_dims initializer inplace input_shape inputs jit jvp
    kernel kwargs module ndim num_parameters out out_dims outputs param parameter primal primals residuals result self
    setup_context shape t tangent tangents tensor u value_and_grad vjp vmap x y
""".split()

# Public attributes of torch.nn.Module (2.13) and keras.Layer (3.15): a parameter is an attribute of both.
# tests/spec/test_names.py compares this list with the frameworks that are installed.
_ATTRIBUTES = """
    T_destination activity_regularizer add_loss add_metric add_module add_variable add_weight apply autocast
    bfloat16 buffers build build_from_config built call call_signature_parameters call_super_init children
    compile compute_dtype compute_mask compute_output_shape compute_output_spec count_params cpu cuda double
    dtype dtype_policy dump_patches eval extra_repr float forward from_config get_buffer get_build_config
    get_config get_extra_state get_parameter get_submodule get_weights half input input_dtype input_spec ipu
    load_own_variables load_state_dict losses metrics metrics_variables modules mtia name named_buffers
    named_children named_modules named_parameters non_trainable_variables non_trainable_weights output
    parameters path quantization_mode quantize quantized_build quantized_call register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
    register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook
    rematerialized_call requires_grad_ save_own_variables set_extra_state set_submodule set_weights share_memory
    state_dict stateless_call supports_jit supports_masking symbolic_call to to_empty torch_params train trainable
    trainable_variables trainable_weights training type variable_dtype variables weights xpu zero_grad
""".split()

_WRITTEN = frozenset([INPUT, "Piecewise", *FUNCTIONS, *ALIASES, *AXISWISE, *CONSTANTS])

PARAMETERS = PYTHON | _WRITTEN | {*_MODULES, *_EMITTED, *_ATTRIBUTES}
"""What no parameter may be called."""

ACTIVATIONS = PYTHON | {*_MODULES, *_DEVICES, "conftest", "t", "x"}
"""What no activation or alias may be called."""

CLASSES = PYTHON | {*_CLASSES}
"""What no class may be called."""


class NameRefused(ValueError):
    """A name that cannot stand in emitted code; `remedy` says what to choose instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def check_activation(name: str) -> None:
    """Raise `NameRefused` unless `name` can be a function and a file: snake_case, not taken."""
    _check(name, "activation", _SNAKE, _SNAKE_RULE, ACTIVATIONS)


def check_alias(name: str) -> None:
    """Raise `NameRefused` unless `name` can be a second name of a function."""
    _check(name, "alias", _SNAKE, _SNAKE_RULE, ACTIVATIONS)


def check_parameter(name: str) -> None:
    """Raise `NameRefused` unless `name` can be a keyword argument and an attribute of a module and a layer."""
    if name in _WRITTEN:
        raise NameRefused(
            f"the parameter name {name!r} already has a meaning in expressions", f"call it {name}_value or the like"
        )
    _check(name, "parameter", _PARAMETER, "letters a-z, digits and single underscores, a letter first", PARAMETERS)


def check_class(name: str) -> None:
    """Raise `NameRefused` unless `name` can be a class: CamelCase, not taken."""
    _check(name, "class", _CAMEL, "CamelCase: letters a-z and digits, a capital first", CLASSES)


def camel(name: str) -> str:
    """Return the class name that goes with a function: `leaky_relu` becomes `LeakyRelu`."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _check(name: str, what: str, form: re.Pattern[str], rule: str, taken: frozenset[str]) -> None:
    if len(name) > LONGEST:
        raise NameRefused(f"the {what} name is {len(name)} characters long", f"use at most {LONGEST}")
    if form.fullmatch(name) is None:
        raise NameRefused(f"{name!r} cannot name {_article(what)}", f"names are {rule}")
    if name in taken:
        reason = "a word of Python" if name in PYTHON else "used by the emitted code or its framework"
        raise NameRefused(f"{name!r} cannot name {_article(what)}: it is {reason}", "choose another name")


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
