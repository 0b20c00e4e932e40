"""Values, extremes, slopes and identities of the activations without parameters.

The values were computed with 40 digits from other forms than the specs hold: a distribution function as the integral of
its density, sinc as a Bessel function, a derivative by differences, a tanh by its exponential.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.specs.textbook import FORMULAS

VALUES: list[tuple[str, dict[float, float]]] = [
    ("hard_mish", {-3: 0, -1: -0.5, -0.5: -0.375, 0.5: 0.5, 3: 3}),
    ("sparse_plus", {-2: 0, -0.5: 0.0625, 0: 0.25, 0.5: 0.5625, 3: 3}),
    ("sparse_sigmoid", {-2: 0, -0.5: 0.25, 0: 0.5, 0.75: 0.875, 3: 1}),
    ("exponential", {-2: 0.13533528323661269, 0: 1, 1: 2.7182818284590452, 3: 20.085536923187668}),
    ("tanhexp", {-3: -0.14923791753779128, -1: -0.35213549054658698, 0.5: 0.46434097057521514, 2: 1.9999984724084584}),
    ("phish", {-2: 0.0909377810773598, -1: 0.15733732567155855, 0.5: 0.16629217954075386, 2: 1.9213357993905932}),
    ("serf", {-2: -0.28491497024418831, -1: -0.34224795538933844, 0.5: 0.41582931148205902, 2: 1.9947393332677912}),
    ("golu", {-1: -0.065988035845312537, 0.5: 0.27261960594630253, 2: 1.7468460369862333}),
    ("gish", {-2: -0.23836763089113602, -1: -0.26834585628917606, 0.5: 0.29602886391566333, 4: 2.7725887222397812}),
    ("colu", {-2: -0.14380684983165097, -1: -0.34702986314353092, 0.5: 0.53096401748413648, 2: 2.0003345934132346}),
    ("sqnl", {-3: -1, -1: -0.75, 0.5: 0.4375, 1.5: 0.9375, 2.5: 1}),
    ("sq_rbf", {-2.5: 0, -1.5: 0.125, 0: 1, 0.5: 0.875, 1: 0.5, 1.75: 0.03125}),
    ("elliott_sigmoid", {-4: 0.1, -1: 0.25, 0: 0.5, 1: 0.75, 4: 0.9}),
    ("relu_squared", {-2: 0, 0: 0, 0.5: 0.25, 3: 9}),
    ("gcu", {-2: 0.83229367309428477, 1: 0.54030230586813972, 3: -2.9699774898013364}),
    ("sinc", {0: 1, 0.5: 0.958851077208406, 2: 0.45464871341284085, 5: -0.19178485493262769}),
    (
        "elish",
        {-3: -0.045064677987269619, -1: -0.17000340156854792, 0: 0, 1: 0.73105857863000488, 2: 1.7615941559557649},
    ),
    ("hard_elish", {-2: 0, -0.5: -0.098367335071841644, 0: 0, 0.5: 0.375, 2: 2}),
    ("bent_identity", {-2: -1.3819660112501052, 0: 0, 1: 1.2071067811865475, 3: 4.0811388300841897}),
    ("symlog", {-3: -1.3862943611198906, -0.5: -0.40546510810816438, 0: 0, 2: 1.0986122886681097}),
    ("symexp", {-2: -6.3890560989306502, -0.5: -0.64872127070012815, 0: 0, 2: 6.3890560989306502}),
    ("lecun_tanh", {-1: -0.99999725592247898, 0.5: 0.55168370633053137, 1: 0.99999725592247898, 2: 1.4929388053842507}),
    ("arctan", {-2: -1.1071487177940905, 0.5: 0.46364760900080612, 1: 0.78539816339744831}),
    ("asinh", {-2: -1.4436354751788103, 0.5: 0.48121182505960345, 1: 0.88137358701954303}),
    ("gaussian", {-1: 0.36787944117144232, 0: 1, 0.5: 0.77880078307140487, 2: 0.01831563888873418}),
    ("sine", {-2: -0.9092974268256817, 0: 0, 1: 0.84147098480789651}),
    ("cosine", {-2: -0.41614683654714239, 0: 1, 1: 0.54030230586813972}),
    ("cloglog", {-2: 0.12657698150688336, 0: 0.63212055882855768, 1: 0.93401196415468746}),
    ("loglog", {-1: 0.065988035845312537, 0: 0.36787944117144232, 2: 0.87342301849311664}),
    ("calu", {-3: -0.30724914704870018, -1: -0.25, 0.5: 0.32379180882521664, 2: 1.7048327646991335}),
    ("lalu", {-3: -0.074680602551795914, -1: -0.18393972058572116, 0.5: 0.34836733507184164, 2: 1.8646647167633873}),
    (
        "loglogish",
        {-2: -0.25315396301376671, -1: -0.30779937244465365, 0.5: 0.40385217722601754, 2: 1.9987640420213378},
    ),
    ("dsilu", {-2: -0.090784248784895479, 0: 0.5, 1: 0.92767051187148673, 3: 1.0881041060151696}),
    ("shifted_softplus", {-2: -0.56621916951697281, 0: 0, 1: 0.62011450695827752, 3: 2.3554401710137967}),
    ("sqrt_softplus", {-2: 0.35626957636454519, 0: 0.83255461115769776, 1: 1.1459763032097229, 3: 1.7460204327480655}),
    ("seagull", {-2: 1.6094379124341004, 0: 0, 0.5: 0.22314355131420976, 3: 2.3025850929940457}),
    ("cube", {-2: -8, 0.5: 0.125, 3: 27}),
    ("ncu", {-2: 6, 0.5: 0.375, 1: 0, 3: -24}),
    ("squ", {-2: 2, -0.5: -0.25, 1: 2, 3: 12}),
    ("dsu", {-4: -1.2184109684167566, 0: 0, 1: 0.93634229436760445, 2: 1.5289626476415324, 5: 0.62550930540164702}),
    ("serlu", {-3: -0.4678889189843419, -1: -1.1524191568144401, 0: 0, 2: 2.1572365671544534}),
    ("logish", {-2: -0.22523351035782402, -1: -0.23818302641382826, 0.5: 0.24197155188346351, 4: 2.7364535740851418}),
    ("smish", {-2: -0.22428613891211774, -1: -0.23377880935282602, 0.5: 0.22469797368637782, 4: 2.3767481061066414}),
    (
        "double_silu",
        {-2: -0.88135848545085902, -1: -0.43316699297940541, 0.5: 0.28859269007232615, 3: 2.8371494772933347},
    ),
    ("suish", {-2: -0.27067056647322538, -1: -0.36787944117144232, 0: 0, 3: 3}),
    ("soft_modulus_q", {-2: 2, -0.5: 0.375, 0: 0, 0.75: 0.703125, 3: 3}),
    ("rehsec", {-2: -0.53160445766815938, 0: 0, 1: 0.6480542736638854, 3: 0.29798378225829962}),
    ("eanaf", {-2: -0.12675787666607524, -1: -0.15536240349696361, 0.5: 0.22593138093880302, 3: 2.7283289955382256}),
]

# Activation, where, value: minima, maxima and zeros of the slope, of which papers print the first digits.
EXTREMES = [
    ("tanhexp", -1.07886005846, -0.353285777848),
    ("phish", -1.19543120139, 0.164658965643),
    ("serf", -1.19305996893, -0.34843745876),
    ("golu", -0.56714329041, -0.0972601312276),
    ("gish", -1.28205104926, -0.278159460896),
    ("colu", -0.726924988596, -0.377158568396),
    ("sinc", 4.49340945791, -0.217233628211),
    ("elish", -0.88137358702, -0.171572875254),
    ("hard_elish", -0.442854401002, -0.0996731515287),
    ("lalu", -1, -0.183939720586),
    ("loglogish", -1.17215369677, -0.312182516087),
    ("dsilu", -2.39935728052, -0.0998393201289),
    ("dsilu", 2.39935728052, 1.09983932013),
    ("dsu", 2.63099585194, 1.63640813682),
    ("serlu", -1, -1.15241915681),
    ("logish", -1.37245413703, -0.252768816789),
    ("smish", -1.39451930192, -0.24999366366),
    ("suish", -1, -0.367879441171),
    ("rehsec", 1.19967864026, 0.662743419349),
    ("eanaf", -1.15718495148, -0.157184951484),
    ("ncu", 0.577350269190, 0.384900179460),
    ("squ", -0.5, -0.25),
]

# Activation, where its pieces meet, slope from both sides.
SMOOTH_JOINTS = [
    ("sparse_plus", -1, 0),
    ("sparse_plus", 1, 1),
    ("sqnl", -2, 0),
    ("sqnl", 0, 1),
    ("sqnl", 2, 0),
    ("sq_rbf", -2, 0),
    ("sq_rbf", -1, 1),
    ("sq_rbf", 1, -1),
    ("sq_rbf", 2, 0),
    ("elliott_sigmoid", 0, 0.5),
    ("relu_squared", 0, 0),
    ("sinc", 0, 0),
    ("elish", 0, 0.5),
    ("hard_elish", 0, 0.5),
    ("symlog", 0, 1),
    ("symexp", 0, 1),
    ("lalu", 0, 0.5),
    ("dsu", 0, 1),
    ("suish", 0, 1),
    ("soft_modulus_q", -1, -1),
    ("soft_modulus_q", 0, 0),
    ("soft_modulus_q", 1, 1),
]

# Activation, kink, slope that the spec gives it.
KINKS = [
    ("hard_mish", -2, 0),
    ("hard_mish", 0, 1),
    ("sparse_sigmoid", -1, 0),
    ("sparse_sigmoid", 1, 0),
    ("absolute", 0, 0),
    ("sign", 0, 0),
    ("serlu", 0, 1.07861828357722671),
]

# Activation, limit at minus infinity, limit at infinity.
LIMITS = [
    ("sparse_sigmoid", 0, 1),
    ("sqnl", -1, 1),
    ("sq_rbf", 0, 0),
    ("elliott_sigmoid", 0, 1),
    ("lecun_tanh", -1.7159, 1.7159),
    ("arctan", -math.pi / 2, math.pi / 2),
    ("cloglog", 0, 1),
    ("loglog", 0, 1),
    ("dsilu", 0, 1),
    ("sign", -1, 1),
    ("gaussian", 0, 0),
    ("dsu", 0, 0),
    ("rehsec", 0, 0),
]

# Activation, slope far left, slope far right.
ASYMPTOTES = [
    ("identity", 1, 1),
    ("hard_mish", 0, 1),
    ("sparse_plus", 0, 1),
    ("tanhexp", 0, 1),
    ("phish", 0, 1),
    ("serf", 0, 1),
    ("golu", 0, 1),
    ("gish", 0, math.log(2)),
    ("colu", 0, 1),
    ("elish", 0, 1),
    ("hard_elish", 0, 1),
    ("bent_identity", 0.5, 1.5),
    ("absolute", -1, 1),
    ("calu", 0, 1),
    ("lalu", 0, 1),
    ("loglogish", 0, 1),
    ("shifted_softplus", 0, 1),
    ("serlu", 0, 1.0786182835772267),
    ("logish", 0, math.log(2)),
    ("smish", 0, 0.6),
    ("double_silu", 0.5, 1),
    ("suish", 0, 1),
    ("soft_modulus_q", -1, 1),
    ("eanaf", 0, 1),
]


@pytest.mark.parametrize(("name", "values"), VALUES)
def test_values_agree_with_another_form_of_the_formula(name: str, values: dict[float, float]) -> None:
    np.testing.assert_allclose(FORMULAS[name].value(values), list(values.values()), rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize(("name", "point", "value"), EXTREMES)
def test_an_extreme_is_where_papers_and_arithmetic_put_it(name: str, point: float, value: float) -> None:
    assert FORMULAS[name].value([point])[0] == pytest.approx(value, rel=1e-10)
    assert FORMULAS[name].slope([point + 1e-6])[0] * FORMULAS[name].slope([point - 1e-6])[0] < 0


@pytest.mark.parametrize(("name", "point", "slope"), SMOOTH_JOINTS)
def test_pieces_join_without_a_kink(name: str, point: float, slope: float) -> None:
    points = np.array([point - 1e-9, point, point + 1e-9])
    np.testing.assert_allclose(FORMULAS[name].slope(points), slope, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("name", "kink", "slope"), KINKS)
def test_a_kink_has_the_slope_that_its_comment_says(name: str, kink: float, slope: float) -> None:
    assert FORMULAS[name].slope([kink])[0] == pytest.approx(slope, rel=1e-15)


@pytest.mark.parametrize(("name", "left", "right"), LIMITS)
def test_limits(name: str, left: float, right: float) -> None:
    np.testing.assert_allclose(FORMULAS[name].value([-1e9, 1e9]), [left, right], atol=1e-8)


@pytest.mark.parametrize(("name", "left", "right"), ASYMPTOTES)
def test_slopes_far_out(name: str, left: float, right: float) -> None:
    np.testing.assert_allclose(FORMULAS[name].slope([-1e4, 1e4]), [left, right], atol=1e-4)


def test_the_identity_is_one() -> None:
    np.testing.assert_array_equal(FORMULAS["identity"].value([-3, 0, 2.5]), [-3, 0, 2.5])


def test_absolute_and_sign_of_negative_zero_and_positive_inputs() -> None:
    np.testing.assert_array_equal(FORMULAS["absolute"].value([-3, 0, 2.5]), [3, 0, 2.5])
    np.testing.assert_array_equal(FORMULAS["sign"].value([-3, 0, 2.5]), [-1, 0, 1])
    assert FORMULAS["sign"].activation.surrogate is not None


def test_symexp_undoes_symlog() -> None:
    points = np.linspace(-50, 50, 101)
    np.testing.assert_allclose(FORMULAS["symexp"].value(FORMULAS["symlog"].value(points)), points, rtol=1e-12)


@pytest.mark.parametrize(("primitive", "derivative"), [("sparse_plus", "sparse_sigmoid"), ("silu", "dsilu")])
def test_one_activation_is_the_derivative_of_another(primitive: str, derivative: str) -> None:
    points = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(FORMULAS[primitive].slope(points), FORMULAS[derivative].value(points), rtol=1e-12)


def test_golu_starts_with_slope_1_over_e() -> None:
    assert FORMULAS["golu"].slope([0])[0] == pytest.approx(1 / math.e)


def test_phish_is_nowhere_negative() -> None:
    assert (FORMULAS["phish"].value(np.linspace(-30, 30, 601)) >= 0).all()


def test_elliott_sigmoid_is_softsign_halved_and_raised() -> None:
    points = np.linspace(-50, 50, 101)
    softsign = FORMULAS["softsign"].value(points)
    np.testing.assert_allclose(FORMULAS["elliott_sigmoid"].value(points), (softsign + 1) / 2, rtol=1e-13)


def test_shifted_softplus_is_softplus_less_log_2() -> None:
    points = np.linspace(-10, 10, 101)
    shifted = FORMULAS["softplus"].value(points) - math.log(2)
    np.testing.assert_allclose(FORMULAS["shifted_softplus"].value(points), shifted, atol=1e-14)


def test_lecun_tanh_is_1_at_1_and_bends_most_there() -> None:
    assert FORMULAS["lecun_tanh"].value([1])[0] == pytest.approx(1, abs=3e-6)
    bend = np.diff(FORMULAS["lecun_tanh"].slope(np.linspace(0, 2, 2001)))
    assert 0.95 < np.argmin(bend) / 1000 < 1.05


def test_serlu_keeps_mean_0_and_variance_1() -> None:
    points = np.linspace(-12, 12, 4801)
    density = np.exp(-(points**2) / 2) / math.sqrt(2 * math.pi) * (points[1] - points[0])
    serlu = FORMULAS["serlu"].value(points)
    assert (serlu * density).sum() == pytest.approx(0, abs=1e-5)
    assert (serlu**2 * density).sum() == pytest.approx(1, abs=1e-5)
