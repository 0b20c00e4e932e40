"""A derivation becomes C++ kernels and a PyTorch module that calls them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from actgen.numerics.kernel import Call, Constant, Kernel, Node, Variable
from actgen.spec.text import inert
from actgen.targets import axiswise
from actgen.targets.docstring import headline
from actgen.targets.package import GATES, exported, package
from actgen.targets.statements import ConstantPool, unused
from actgen.targets.target import Context, Entry
from actgen.targets.templates import environment
from actgen.targets.torch.arithmetic import ARITHMETIC
from actgen.targets.torch.emitter import TorchTarget, kernel_title, module_facts
from actgen.targets.torch_fused.printer import CppPrinter, cpp_name, lines, struct_name
from actgen.targets.torch_fused.triton_printer import LIBRARY, TritonPrinter, triton_name

if TYPE_CHECKING:
    from actgen.numerics import Derivation
    from actgen.numerics.axiswise import AxiswiseDerivation

_PACKAGE = "actgen.targets.torch_fused"
_COLUMNS = 100


class TorchFusedTarget:
    """Emits the module of an activation, its kernels in C++ and in Triton, what compiles and runs them, and tests."""

    name = "torch_fused"
    arithmetic = ARITHMETIC
    borrows = "torch"
    script = "torch_fused/_compiling.py"

    def emit(self, derivation: Derivation, context: Context) -> dict[str, str]:
        """Return the module and the kernels of one activation."""
        name = derivation.activation.name
        template = environment(_PACKAGE).get_template("module.py.j2")
        return {
            f"torch_fused/{name}.py": template.render(module_facts(derivation)),
            f"torch_fused/{name}.cpp": kernels(derivation),
            f"torch_fused/_triton/{name}.py": triton_kernels(derivation),
        }

    def emit_axiswise(self, derivation: AxiswiseDerivation, context: Context) -> dict[str, str]:
        """Return the module of one axis-wise activation, which has the function of the target `torch`."""
        activation = derivation.activation
        entry = Entry(activation.name, activation.class_name, activation.aliases, "")
        template = environment(_PACKAGE).get_template("axiswise_module.py.j2")
        source = template.render(name=activation.name, headline=axiswise.title(activation), exported=exported(entry))
        return {f"torch_fused/{activation.name}.py": source}

    def emit_row_adaptor(self, context: Context) -> str:
        """Return nothing: axis-wise functions are those of the target `torch`."""
        return ""

    def emit_package(self, entries: Sequence[Entry], context: Context) -> dict[str, str]:
        """Return the package that imports an activation when its name is first used, and what compiles kernels."""
        title = "Activations for PyTorch in one pass over memory: the package `torch`, with kernels in C++ and Triton."
        templates = environment(_PACKAGE)
        files = {
            "_compiling.py": "compiling.py.j2",
            "_operators.py": "operators.py.j2",
            "_kernels.h": "kernels.h.j2",
            "_arithmetic.h": "arithmetic.h.j2",
            "_operators.cpp": "operators.cpp.j2",
            "_triton/_launching.py": "triton_launching.py.j2",
        }
        arithmetic = templates.get_template("triton_arithmetic.py.j2").render(functions=LIBRARY)
        gated = environment("actgen.targets.torch").get_template("gated.py.j2").render()
        compile_source = templates.get_template("compile.py.j2").render()
        return {
            "torch_fused/__init__.py": package(
                title, entries, "torch.Tensor", functions={"compile": compile_source}, companions=GATES
            ),
            "torch_fused/gated.py": gated,
            "torch_fused/_triton/__init__.py": '"""Kernels for GPUs, in Triton."""\n',
            "torch_fused/_triton/_arithmetic.py": arithmetic,
            **{f"torch_fused/{name}": templates.get_template(source).render() for name, source in files.items()},
        }

    def emit_adaptor(self, context: Context) -> str:
        """Return `tests/on_torch_fused.py`: that of the target `torch`, for what is compiled."""
        return environment(_PACKAGE).get_template("adaptor.py.j2").render()

    def emit_test(self, derivation: Derivation, context: Context) -> str:
        """Return the section of the test of one activation: what is tested of the target `torch`."""
        return TorchTarget().emit_test(derivation, context, self.name)


def kernels(derivation: Derivation) -> str:
    """Return the C++ source of the kernels of an activation."""
    activation = derivation.activation
    variables = [symbol.name for symbol in derivation.formula.variables]
    renamed = _names(variables, cpp_name)
    constants = CppConstants()
    formulas: list[dict[str, Any]] = []
    rows: dict[str, str] = {}
    for by, kernel in derivation.kernels.items():
        printer = CppPrinter(renamed.values())
        listing = printer.print(_renamed(kernel, renamed), constants, like=renamed[variables[0]])
        document = " ".join(kernel_title(by, kernel, derivation.formulas.get(by, "")).split())
        name = struct_name(by)
        formulas.append(
            {
                "name": name,
                "document": "\n// ".join(textwrap.wrap(document, _COLUMNS - 3)),
                "arguments": ", ".join(f"Number {renamed[variable]}" for variable in variables),
                "lines": lines(listing),
            }
        )
        read = {variable.name for variable in kernel.variables}
        bits = "".join(str(int(variable in read)) for variable in reversed(variables))
        made = f"<actgen::{name}, {len(variables)}>"
        if not by:
            rows[""] = f"actgen::value{made}(0b{bits})"
        for order in (by, by[::-1]) if by else ():
            rows[" ".join(order)] = f'actgen::pull{made}("{" ".join(order)}", 0b{bits})'
    return (
        environment(_PACKAGE)
        .get_template("kernels.cpp.j2")
        .render(
            name=activation.name,
            headline=headline(activation, 90)[0].rstrip("."),
            constants=constants.lines(CppPrinter()),
            formulas=formulas,
            rows=list(rows.values()),
        )
    )


def triton_kernels(derivation: Derivation) -> str:
    """Return the Triton source of the kernels of an activation."""
    variables = [symbol.name for symbol in derivation.formula.variables]
    renamed = _names(variables, triton_name)
    called = {"read"}
    formulas: list[dict[str, Any]] = []
    table: list[tuple[str, str]] = []
    for by, kernel in derivation.kernels.items():
        printer = TritonPrinter(renamed.values())
        like = renamed[variables[0]]
        listing = printer.print(_renamed(kernel, renamed), like=like)
        result = printer.tensor(listing.result, like) if listing.is_number else listing.result
        called |= printer.called
        function = "_".join(("_by", *by)) if by else "_value"
        formulas.append(
            {
                "name": function,
                "document": kernel_title(by, kernel, derivation.formulas.get(by, "")),
                "lines": [*map(str, listing.statements), f"return {result}"],
            }
        )
        table += [(" ".join(order), function) for order in dict.fromkeys((by, by[::-1]))]
    return (
        environment(_PACKAGE)
        .get_template("triton_kernels.py.j2")
        .render(
            name=derivation.activation.name,
            headline=headline(derivation.activation, 90)[0].rstrip("."),
            variables=list(renamed.values()),
            called=sorted(called),
            formulas=formulas,
            table=table,
        )
    )


class CppConstants(ConstantPool):
    """Constants of a C++ file, whose names begin with a letter: those with an underscore belong to the compiler."""

    def name(self, constant: Constant) -> str:
        """Return the name of a constant that has a meaning."""
        name = super().name(constant).lstrip("_")
        return f"NUMBER_{name}" if name[0].isdigit() else name

    def lines(self, printer: CppPrinter) -> tuple[str, ...]:  # type: ignore[override]
        """Return the definitions, each with what the number is."""
        return tuple(
            f"constexpr double {self.name(constant)} = {printer.literal(constant.value)};  // {inert(constant.meaning)}"
            for constant in self.names
        )


def _names(variables: Sequence[str], wanted: Callable[[str], str]) -> dict[str, str]:
    """Return what variables are called in another language, each differently."""
    names: dict[str, str] = {}
    for name in variables:
        names[name] = unused(wanted(name), [*variables, *names.values()]) if wanted(name) != name else name
    return names


def _renamed(kernel: Kernel, names: Mapping[str, str]) -> Kernel:
    """Return the kernel with its variables called otherwise."""
    if all(names[variable.name] == variable.name for variable in kernel.variables):
        return kernel
    made: dict[Node, Node] = {}
    for node in kernel.nodes:
        if isinstance(node, Variable):
            made[node] = Variable(names[node.name], node.is_parameter)
        elif isinstance(node, Call):
            made[node] = Call(node.operation, tuple(made[operand] for operand in node.arguments))
        else:
            made[node] = node
    return Kernel(made[kernel.result], {made[node]: name for node, name in kernel.names.items() if node in made})
