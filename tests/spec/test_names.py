import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actgen.spec import names
from actgen.spec.names import NamingError
from actgen.spec.reserved import PARAMETERS

NOT_PARAMETERS = """
    x dim axis self dtype name torch keras jax t lambda print max exp pi E Piecewise _alpha __class__ a__b a_ 1a
    alpha-1 αβ a.b training weights forward call build True match type sigmoid np Sum
"""
NOT_ACTIVATIONS = """
    Mish leaky-relu _mish mish_ mi__sh 2relu lambda print torch keras jax numpy nul con x t mísh mish.py ../mish
"""


@pytest.mark.parametrize(
    "name",
    [
        "alpha",
        "beta",
        "negative_slope",
        "lambd",
        "threshold",
        "value",
        "T",
        "w0",
        "p1",
        "max_value",
        "frequency",
        "sub",
        "b",
    ],
)
def test_parameters_may_have_the_names_that_papers_and_frameworks_use(name: str) -> None:
    names.check_parameter(name)


@pytest.mark.parametrize(
    "name",
    [*NOT_PARAMETERS.split(), "", " alpha", "alpha\n", "a" * 41],
)
def test_parameters_may_not_shadow_what_emitted_code_needs(name: str) -> None:
    with pytest.raises(NamingError):
        names.check_parameter(name)


@pytest.mark.parametrize("name", ["mish", "leaky_relu", "relu6", "gelu_tanh", "sigmoid", "tanh", "threshold"])
def test_activations_may_have_the_names_of_activations(name: str) -> None:
    names.check_activation(name)
    names.check_alias(name)


@pytest.mark.parametrize(
    "name",
    [*NOT_ACTIVATIONS.split(), "", "a b", "mish\n", "a" * 41],
)
def test_activations_may_not_break_files_or_imports(name: str) -> None:
    with pytest.raises(NamingError):
        names.check_activation(name)


@pytest.mark.parametrize("name", ["mish", "Leaky_ReLU", "Tensor", "True", "Exception", "ÉLU", "", "ELU\n", "Module"])
def test_classes_are_camel_case_and_not_taken(name: str) -> None:
    with pytest.raises(NamingError):
        names.check_class(name)


def test_the_class_of_a_function_is_its_camel_case() -> None:
    assert [names.camel(name) for name in ("mish", "hard_sigmoid", "relu6")] == ["Mish", "HardSigmoid", "Relu6"]


@pytest.mark.parametrize("name", ["raw_alpha", "initial_alpha", "alpha_initializer", "alpha_constraint"])
def test_no_parameter_takes_a_name_that_classes_form_of_a_trainable_one(name: str) -> None:
    names.check_beside(name, "beta")
    with pytest.raises(NamingError, match="the trainable 'alpha'"):
        names.check_beside(name, "alpha")


@given(st.text(max_size=20))
def test_whatever_is_accepted_is_an_identifier_that_python_does_not_use(name: str) -> None:
    for check in (names.check_activation, names.check_parameter, names.check_class):
        try:
            check(name)
        except NamingError:
            continue
        assert name.isidentifier()
        assert name.isascii()
        assert not keyword.iskeyword(name)


def test_no_parameter_hides_an_attribute_of_a_torch_module() -> None:
    import torch

    module = torch.nn.Identity()
    attributes = {name for name in {*dir(module), *vars(module)} if not name.startswith("_")}
    assert attributes - PARAMETERS == set()


def test_no_parameter_hides_an_attribute_of_a_keras_layer() -> None:
    import keras

    layer = keras.layers.Identity()
    attributes = {name for name in {*dir(layer), *vars(layer)} if not name.startswith("_")}
    assert attributes - PARAMETERS == set()


def test_no_parameter_hides_an_attribute_of_a_flax_module() -> None:
    from flax import nnx

    class Empty(nnx.Module):
        pass

    assert {name for name in dir(Empty()) if not name.startswith("_")} - PARAMETERS == set()


def test_no_parameter_hides_an_attribute_of_an_equinox_module() -> None:
    import equinox as eqx

    class Empty(eqx.Module):
        pass

    assert {name for name in dir(Empty()) if not name.startswith("_")} - PARAMETERS == set()


def test_no_parameter_hides_a_method_of_a_class_that_is_emitted() -> None:
    methods = {"parameter_values", "load_parameter_values", "with_parameter_values", "reset_parameters", "channel_axis"}
    assert methods < PARAMETERS
