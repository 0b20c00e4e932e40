"""From exact formulas to kernels: stable and cheap formulations, and the oracle that judges them."""

from actgen.numerics.choice import CONTRACT, Judgement, Trial
from actgen.numerics.derivation import Derivation, ReferenceTable, derive, reference_table
from actgen.numerics.kernel import OPERATIONS, Call, Constant, Cost, Kernel, Node, Operation, Variable
from actgen.numerics.oracle import Exact, Oracle

__all__ = [
    "CONTRACT",
    "OPERATIONS",
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
    "reference_table",
]
