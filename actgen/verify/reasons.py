"""Why a measurement misses the contract, as far as figures tell: who keeps it elsewhere, and what the build knew.

Asked in turn:

| what is known                                                            | to blame                    |
|--------------------------------------------------------------------------|-----------------------------|
| in emulated arithmetic the kernel misses the contract                    | the form                    |
| there it keeps the contract, but none of the forms was within the margin | the form                    |
| in the framework's other mode the same code keeps it                     | the compiler                |
| in another framework the same form keeps it                              | the framework's functions   |
| in another framework another form keeps it                               | the form or those functions |
| PyTorch and another framework are off alike at the same number           | the form                    |

The last holds since the two share no code: results that agree are made of operations that are rounded correctly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actgen.build import Manifest
from actgen.numerics.contract import FORMATS
from actgen.verify.record import Row
from actgen.verify.table import number

LEGEND = """\
The form is to blame where arithmetic that emulates the framework's says so, or where no form was found that leaves room
for what emulation leaves out, or where frameworks that share no code are off alike; the compiler, where the same code
keeps the contract in the other mode; the framework's functions, where the same form keeps it in another framework;
either, where only another form does.
"""

_ALONE = "torch"
"""The framework whose functions are nobody else's: Keras on TensorFlow and JAX compile with the same XLA."""


def reason(row: Row, rows: Iterable[Row], manifest: Manifest, margins: Mapping[str, float]) -> str:
    """Who is to blame for a miss, in words.

    Args:
        row: what misses the contract.
        rows: everything that was measured.
        manifest: of the build, which knows what each kernel is worth in emulated arithmetic.
        margins: the units within which the build looked for a form, by framework.
    """
    place, form = row.place, FORMATS[row.place.dtype]
    built = manifest.activations.get(place.activation)
    kernels = built.kernels.get(row.quantity, {}) if built is not None else {}
    kernel, margin = kernels.get(place.framework), margins.get(place.framework)
    if kernel is not None and not kernel.is_within_contract:
        return f"the form: {number(kernel.units)} units in emulated arithmetic too"
    if kernel is not None and margin is not None and kernel.units > margin:
        return f"the form: {number(kernel.units)} units in emulated arithmetic, where none was found within {margin:g}"
    twins = [other for other in rows if _is_twin(other, row)]
    same = [other for other in twins if other.place.framework == place.framework]
    if same and all(other.cell.ours.keeps(form) for other in same):
        return f"the compiler: {same[0].place.mode} it keeps the contract"
    keeping = dict.fromkeys(other.place.framework for other in twins if other.cell.ours.keeps(form))
    alike = [name for name in keeping if kernel is None or name not in kernels or kernels[name].form == kernel.form]
    if alike:
        return f"the framework's functions: in {' and '.join(alike)} the same form keeps the contract"
    if keeping:
        return f"the form or the framework's functions: in {' and '.join(keeping)} another form keeps the contract"
    others = dict.fromkeys(other.place.framework for other in twins if _is_off_alike(other, row))
    others.pop(place.framework, None)
    if others and _ALONE in (place.framework, *others):
        return f"the form: {' and '.join(others)} {'is' if len(others) == 1 else 'are'} off alike at the same number"
    return "not known"


def _is_twin(other: Row, row: Row) -> bool:
    """Whether it is the same quantity in another framework or mode."""
    return (
        (other.quantity, other.setting) == (row.quantity, row.setting)
        and (other.place.activation, other.place.dtype) == (row.place.activation, row.place.dtype)
        and other.place != row.place
    )


def _is_off_alike(other: Row, row: Row) -> bool:
    one, two = other.cell.ours, row.cell.ours
    return (one.units, one.units_at, one.setting) == (two.units, two.units_at, two.setting)
