"""From exact formulas to kernels: stable and cheap formulations, and the oracle that judges them."""

from actgen.numerics.derivation import Derivation, ReferenceTable, derive, derive_for, pair_table, reference_table
from actgen.numerics.emulation import Arithmetic
from actgen.numerics.kernel import OPERATIONS, Call, Constant, Cost, Kernel, Node, Operation, Variable
from actgen.numerics.oracle import Exact, Oracle
from actgen.numerics.race import CONTRACT, Judgement, Trial
from actgen.numerics.remembered import remembering

__all__ = [
    "CONTRACT",
    "OPERATIONS",
    "Arithmetic",
    "Call",
    "Constant",
    "Cost",
    "Derivation",
    "Exact",
    "Judgement",
    "Kernel",
    "Node",
    "Operation",
    "Oracle",
    "ReferenceTable",
    "Trial",
    "Variable",
    "derive",
    "derive_for",
    "pair_table",
    "reference_table",
    "remembering",
]
