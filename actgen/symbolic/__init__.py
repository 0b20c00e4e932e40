"""From an activation to exact formulas: primitives, partial derivatives, exact evaluation, properties."""

from actgen.symbolic.formula import Formula, Order
from actgen.symbolic.properties import Properties

__all__ = ["Formula", "Order", "Properties"]
