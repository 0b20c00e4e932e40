"""Each activation with parameters has the values that its source gives it, at the default parameters and at others.

The values were computed with 60 digits from the formulas of the papers, each written down here a second time and not
read from the specs, and rounded to float64.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tests.specs.textbook import FORMULAS

# Activation, parameters that are not at their defaults, values by input.
VALUES: list[tuple[str, dict[str, float], dict[float, float]]] = [
    ("thresholded_relu", {}, {-2: 0, 1: 0, 1.5: 1.5}),
    ("thresholded_relu", {"theta": 0.3}, {0.3: 0, 0.4: 0.4}),
    ("clipped_leaky_relu", {}, {-2: -0.02, 0: 0, 3: 3, 6: 6, 7: 6}),
    ("clipped_leaky_relu", {"negative_slope": 0.5, "max_value": 4, "threshold": 1}, {-3: -2, 1: 0, 2: 2, 9: 4}),
    ("eswish", {}, {-3: -0.19563172685746297, 0.5: 0.427940790201275, 4: 5.401075845208497}),
    ("eswish", {"beta": 2}, {-0.25: -0.21891174955710094}),
    ("ftswish_plus", {}, {-2: -0.15, 0: -0.15, 1.5: 1.0763617142904656}),
    ("ftswish_plus", {"threshold": -1, "mean_shift": 0.5}, {2: 0.2615941559557649}),
    ("trelu", {}, {-2: -0.22, 0: -0.22, 1.5: 1.28}),
    ("trelu", {"threshold": -1, "mean_shift": 0.5}, {2: 0.5}),
    ("siren", {}, {-0.1: -0.1411200080598672, 1: -0.9880316240928618, 2.5: -0.38778163540943045}),
    ("siren", {"omega_0": 2}, {0.75: 0.9974949866040544}),
    ("gaussian_rbf", {}, {-1: 0.6065306597126334, 0: 1, 2.5: 0.04393693362340742}),
    ("gaussian_rbf", {"sigma": 0.5}, {0.75: 0.32465246735834974}),
    ("isrlu", {}, {-2: -0.8944271909999159, -0.125: -0.12403473458920845, 3: 3}),
    ("isrlu", {"alpha": 3}, {-2: -0.5547001962252291}),
    ("mila", {}, {-2: -0.1997449948648588, 0.5: 0.3391448193276352, 3: 2.9784154956390867}),
    ("mila", {"beta": 1.5}, {-1: -0.7504904226097903}),
    ("plu", {}, {-3: -1.2, -0.5: -0.5, 0.75: 0.75, 4: 1.3}),
    ("plu", {"alpha": 0.5, "c": 2}, {-6: -4, 1: 1, 3: 2.5}),
    ("aptx", {}, {-3: -0.007417869469904323, 0.5: 0.36552928931500245, 2: 1.964027580075817}),
    ("aptx", {"alpha": 2, "beta": -0.5, "gamma": 3}, {1.5: 6.141829714257207}),
    ("sinerelu", {}, {-2: -0.0012328764756963484, 0: -0.0025, 0.001: 0.001, 4: 4}),
    ("sinerelu", {"epsilon": 0.5}, {-1: -0.6908866453380181}),
    ("nlrelu", {}, {-2: 0, 0.5: 0.4054651081081644, 20: 3.044522437723423}),
    ("nlrelu", {"beta": 3}, {2: 1.9459101490553132}),
    ("displaced_relu", {}, {-2: -0.05, -0.04: -0.04, 3: 3}),
    ("displaced_relu", {"delta": 1.5}, {-2: -1.5, -1: -1}),
    ("soft_plus_plus", {}, {-3: -2.1445598289862033, 0: 0, 2: 2.4337808304830273}),
    ("soft_plus_plus", {"k": 2, "c": 4}, {-1.5: -1.0195598289862033}),
    ("smelu", {}, {-2: 0, -0.5: 0.0625, 0.75: 0.765625, 3: 3}),
    ("smelu", {"beta": 2}, {-1.5: 0.03125, 1: 1.125}),
    ("penalized_tanh", {}, {-2: -0.24100689501895423, 0.5: 0.46211715726000974}),
    ("penalized_tanh", {"alpha": 0.5}, {-1: -0.3807970779778824}),
    ("sgelu", {}, {-2: 1.9089994722072832, 0.5: 0.1914624612740131, 3: 2.9919006118102196}),
    ("sgelu", {"alpha": -0.5}, {1: -0.3413447460685429}),
    ("relu_n", {}, {-1: 0, 4: 4, 8: 6}),
    ("relu_n", {"max_value": 1}, {0.5: 0.5, 4: 1}),
    ("repu", {}, {-2: 0, 1.5: 3.375, 3: 27}),
    ("repu", {"s": 1.5}, {2.25: 3.375}),
    ("tanhsoft1", {}, {-3: -0.04806472200116953, 0.5: 0.3988761440596629, 2: 1.9997943781801202}),
    ("tanhsoft1", {"alpha": 2}, {-1: -0.30199290654865907}),
    ("pelu", {}, {-2: -0.8646647167633873, 3: 3}),
    ("pelu", {"alpha": 3, "beta": 2}, {-2: -1.896361676485673, 3: 4.5}),
    ("mpelu", {}, {-2: -0.8646647167633873, 3: 3}),
    ("mpelu", {"alpha": -0.5, "beta": 2}, {-1: 0.43233235838169365, 3: 3}),
    ("ptelu", {}, {-2: -0.9640275800758169, 3: 3}),
    ("ptelu", {"alpha": 0.5, "beta": 3}, {-1: -0.49752737684336523, 3: 3}),
    ("srelu", {}, {-2: -0.4, 0.5: 0.5, 3: 3}),
    ("srelu", {"t_r": 2, "a_r": 0.5, "t_l": -1, "a_l": 3}, {-2: -4, 0.5: 0.5, 3: 2.5}),
    ("apl", {}, {-3: 0.8, -0.5: 0.1, 2: 2}),
    ("apl", {"a_1": -1, "b_1": 2, "a_2": 0.5, "b_2": 1}, {0.5: -0.75}),
    ("star_relu", {}, {-2: -0.4472, 1.5: 1.5652}),
    ("star_relu", {"scale": 2, "bias": 1}, {3: 19}),
    ("xielu", {}, {-3: 0.13982965469429115, -0.001: -0.0004996001333000067, 2: 4.2}),
    ("xielu", {"alpha_p": 0.5, "alpha_n": 2, "beta": 0.25}, {-1: 0.48575888234288467, 1: 0.75}),
    ("flexible_relu", {}, {-2: 0, 1.5: 1.5}),
    ("flexible_relu", {"bias": -0.5}, {-2: -0.5, 1.5: 1}),
    ("sinlu", {}, {-3: -0.1489703591377648, 0.5: 0.6096525657215884, 2: 2.5625006725166326}),
    ("sinlu", {"amplitude": 0.5, "frequency": 3}, {-1: -0.28791792914567804}),
    ("shilu", {}, {-2: 0, 1.5: 1.5}),
    ("shilu", {"alpha": 2, "beta": -1}, {-2: -1, 1.5: 2}),
    ("acon_b", {}, {-3: -0.9645362960229964, 0.5: 0.34724997498277616, 2: 1.7263617142904655}),
    ("acon_b", {"p": -1, "beta": 0.5}, {1.5: 0.952723428580931}),
    ("erfact", {}, {-3: -0.26703681445362165, 0.5: 0.438615110078435, 2: 1.9999960024692849}),
    ("erfact", {"alpha": 0.5, "beta": 2}, {-1: -0.07623837648956361}),
    ("pserf", {}, {-3: -0.3171978393907625, 0.5: 0.4495586410725249, 2: 1.9980787405137288}),
    ("pserf", {"gamma": 0.5, "delta": 2}, {-1: -0.07151543506522094}),
    ("acon_c", {}, {-3: -0.14227761953270035, 0.5: 0.3112296656009273, 2: 1.7615941559557649}),
    ("acon_c", {"p_1": 2, "p_2": 0.5, "beta": 3}, {-1: -0.5164804139458897}),
    ("arelu", {}, {-2: -1.8, 1.5: 2.8211956169668237}),
    ("arelu", {"alpha": 3, "beta": -1}, {-2: -1.98, 1.5: 1.9034121320549926}),
    ("arelu", {"alpha": -3}, {-2: -0.02}),
    ("pfts", {}, {-2: -0.2, 0: -0.2, 1.5: 1.0263617142904655}),
    ("pfts", {"T": 0.5}, {-2: 0.5, 1: 1.2310585786300048}),
    ("dyt", {}, {-3: -0.9051482536448664, 0.5: 0.24491866240370913}),
    ("dyt", {"alpha": 2, "gamma": -3, "beta": 0.5}, {0.25: -0.8863514717800293}),
    ("snake_beta", {}, {-3: -2.980085143325183, 0.5: 0.7298488470659301}),
    ("snake_beta", {"alpha": 2, "beta": 4}, {0.75: 0.9987490620750556}),
    ("lelelu", {}, {-2: -0.2, 1.5: 1.5}),
    ("lelelu", {"alpha": -3}, {-2: 0.6, 1.5: -4.5}),
    ("tanhlu", {}, {-2: -0.9640275800758169, 1.5: 0.9051482536448664}),
    ("tanhlu", {"alpha": 2, "lambd": 0.5, "beta": -1}, {3: -1.1897034927102672}),
    ("tent", {}, {-0.25: 0.75, 0: 1, 2: 0}),
    ("tent", {"delta": 3}, {-2: 1, 2.5: 0.5}),
    ("rprelu", {}, {-2: -0.5, 1.5: 1.5}),
    ("rprelu", {"gamma": 1, "zeta": -2, "beta": 0.5}, {-1: -3, 1: -2, 4: 1}),
    ("scaled_softsign", {}, {-3: -0.75, 0.5: 0.3333333333333333}),
    ("scaled_softsign", {"alpha": -2, "beta": 0.5}, {-1.5: 1.5}),
    ("swish_t", {}, {-3: -0.2417830949013734, 0.5: 0.35744138132692826, 2: 1.8579969139633465}),
    ("swish_t", {"alpha": -1, "beta": 2}, {-1: 0.6423912339336474}),
]


@pytest.mark.parametrize(("name", "parameters", "values"), VALUES)
def test_a_spec_declares_the_values_of_its_source(
    name: str, parameters: Mapping[str, float], values: Mapping[float, float]
) -> None:
    declared = FORMULAS[name].value(values, **parameters)
    np.testing.assert_allclose(declared, list(values.values()), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "parameters", "slopes"),
    [
        ("thresholded_relu", {}, {1: 0}),
        ("clipped_leaky_relu", {}, {0: 0.01, 6: 0}),
        ("ftswish_plus", {}, {0: 0}),
        ("trelu", {}, {0: 0}),
        ("displaced_relu", {"delta": 0.5}, {-0.5: 0}),
        ("penalized_tanh", {}, {0: 0.25}),
        ("relu_n", {}, {0: 0, 6: 0}),
        ("pelu", {"alpha": 3, "beta": 2}, {0: 1.5}),
        ("mpelu", {"alpha": 0.5, "beta": 3}, {0: 1.5}),
        ("ptelu", {"alpha": 0.5, "beta": 3}, {0: 1}),
        ("srelu", {"t_l": -1, "a_r": 0.5}, {-1: 0.2, 1: 0.5}),
        ("xielu", {}, {0: 0.5}),
        ("pfts", {}, {0: 0.5}),
        ("lelelu", {"alpha": 2}, {0: 2}),
        ("tent", {}, {-1: 0, 0: 0, 1: 0}),
        ("rprelu", {"gamma": 2}, {2: 0.25}),
    ],
)
def test_a_kink_has_the_slope_that_the_spec_claims(
    name: str, parameters: Mapping[str, float], slopes: Mapping[float, float]
) -> None:
    declared = FORMULAS[name].slope(slopes, **parameters)
    np.testing.assert_allclose(declared, list(slopes.values()), rtol=1e-15, atol=0)
