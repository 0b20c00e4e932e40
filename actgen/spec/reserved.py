"""Names that are taken: by Python, by the frameworks, by the code that is emitted.

A name from a spec file becomes an identifier in somebody's module, an attribute of a `torch.nn.Module`, a
`keras.Layer`, an `nnx.Module` and an `eqx.Module`, a keyword argument, a file name. Each of these takes some names
away.
"""

from __future__ import annotations

import builtins
import keyword

from actgen.spec.vocabulary import ALIASES, AXISWISE, CONSTANTS, FUNCTIONS, INPUT


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PYTHON = frozenset([*keyword.kwlist, *keyword.softkwlist, *dir(builtins)])
"""Keywords of Python and names of its builtins."""

EXPRESSION = frozenset([INPUT, "Piecewise", *FUNCTIONS, *ALIASES, *AXISWISE, *CONSTANTS])
"""Names with a meaning in expressions."""

_MODULES = _words(
    """
    actgen annotations array autograd collections dataclasses eqx equinox flax functools functional jax jnp keras lax
    math mx nn nnx np numpy ops pytest tensorflow tests tf torch typing
    """
)

# File names that Windows keeps for devices.
_DEVICES = _words(
    """
    con prn aux nul com0 com1 com2 com3 com4 com5 com6 com7 com8 com9
    lpt0 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9
    """
)

_CLASSES = _words(
    """
    Any Array ArrayLike Callable Function Gated Generic Iterable Iterator KerasTensor Layer Literal Mapping Module
    NamedTuple Optional Parameter Self Sequence Tensor TypeVar Union Variable
    """
)

# Names that emitted functions and classes use for themselves.
_EMITTED = _words(
    """
    arg args argument arguments axis backward block blocks bwd by cls config context cotangent ctx deterministic
    device dim dims dtype dx dy fwd generate_vmap_rule generator grad grad_output gradient gradients in_dims
    initializer inplace input_shape inputs into jit jvp kernel key kwargs module ndim num_parameters out out_dims
    outputs param parameter primal primals residuals result rngs seed self setup_context shape t tangent tangents
    tensor tensors u value_and_grad vjp vmap wide x y
    channel_axis load_parameter_values param_dtype parameter_values reset_parameters shared_axes with_parameter_values
    """
)

# Public attributes of torch.nn.Module (2.13), keras.Layer (3.15) and, at the end, nnx.Module (0.12): a parameter is an
# attribute of each, and of eqx.Module (0.13), which has none of its own.
# A test compares this list with the frameworks that are installed.
_ATTRIBUTES = _words(
    """
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
    iter_children iter_modules perturb set_attributes sow
    """
)

# What the package that the activations lie in has of its own.
_REGISTRY = _words("gated get get_close_matches import_module names register sys")

PARAMETERS = PYTHON | EXPRESSION | _MODULES | _EMITTED | _ATTRIBUTES
"""What no parameter may be called."""

ACTIVATIONS = PYTHON | _MODULES | _DEVICES | _REGISTRY | {"conftest", "t", "x"}
"""What no activation or alias may be called."""

CLASSES = PYTHON | _CLASSES
"""What no class may be called."""

PREFIXES, SUFFIXES = ("raw", "initial"), ("initializer", "regularizer", "constraint")
"""What emitted classes put before and behind the name of a trainable parameter, for what belongs to it."""
