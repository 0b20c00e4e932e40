"""The command line: words become calls. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from actgen import __version__
from actgen.build import BuildError, InputError, Settings, build, find_settings, own_specs
from actgen.spec import SpecError

EXIT_CODES = """\b
Exit codes:
  0  everything is as it should be
  1  something is stale, was edited by hand, misses its accuracy contract, or could not be built
  2  bad input: a spec, a name or a flag that is wrong
"""

_FOLDER = click.Path(file_okay=False, path_type=Path)
_specs = click.option("--specs", type=_FOLDER, help="Folder of spec files.  [default: as pyproject.toml says]")

_jobs = click.option("--jobs", "-j", type=click.IntRange(min=1), help="Processes.  [default: one a processor]")
_WAYS = (
    "torch-eager",
    "torch-compiled",
    "torch-fused",
    "jax-jit",
    "keras-eager",
    "keras-function",
    "keras-xla",
    "keras-fit",
    "keras-fit-xla",
)
_SOME = "May be given more than once.  [default: all]"


def _choice(*names: str) -> click.Choice[str]:
    return click.Choice(names)


class Commands(click.Group):
    """A group that turns a user's mistake into one paragraph and an exit code, never into a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SpecError as error:
            raise BadInput(str(error)) from error
        except InputError as error:
            raise BadInput(f"Error: {error}") from error
        except BuildError as error:
            raise Failure(f"Error: {error}") from error
        except OSError as error:
            # What has no file is no mistake of the user's: a closed pipe, or a bug.
            if error.filename is None:
                raise
            raise BadInput(f"Error: {error.filename}: {error.strerror}") from error


class Failure(click.ClickException):
    """Something is stale or missed; the message is shown as it is."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Print the message to standard error."""
        click.echo(self.message, err=True)


class BadInput(Failure):
    """A user's mistake."""

    exit_code = 2


@click.group(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="actgen")
def main() -> None:
    """Activations from one formula each: exact, fast and tested code for PyTorch, Keras and JAX.

    Settings come from the table [tool.actgen] of the nearest pyproject.toml (specs, out, targets). Without one, the
    specs are those in ./specs, or else those that come with actgen, and the code goes to ./generated.
    """


@main.command("build", epilog=EXIT_CODES)
@_specs
@click.option("--out", type=_FOLDER, help="Folder of generated code, a Python package.  [default: generated]")
@click.option("--target", "targets", multiple=True, help="Framework to build for; may be given more than once.")
@click.option("--check", is_flag=True, help="Write nothing; show a diff and exit with 1 if anything is stale.")
@click.option("--force", is_flag=True, help="Derive everything again, changed or not.")
@click.option("--overwrite", is_flag=True, help="Replace files that were edited by hand.")
@click.option("--compile", "compiles", is_flag=True, help="Compile what is run as machine code: torch_fused.")
@_jobs
def build_command(
    specs: Path | None,
    out: Path | None,
    targets: tuple[str, ...],
    check: bool,
    force: bool,
    overwrite: bool,
    compiles: bool,
    jobs: int | None,
) -> None:
    """Write the code that the specs stand for; only what changed is derived again."""
    if check and compiles:
        raise BadInput("Error: --check writes nothing, so it cannot --compile")
    settings = find_settings(Path.cwd(), specs=specs, out=out, targets=targets)
    if compiles:
        from actgen.build.ahead import compiled_targets

        compiled_targets(settings)  # before anything is written
    report = build(settings, check=check, force=force, overwrite=overwrite, jobs=jobs, progress=_Progress())
    shown = settings.display(settings.out)
    if not check:
        click.echo(f"{shown}: {report.summary}")
        for line in (*report.cautions, *report.misses):
            click.echo(line)
        if compiles:
            from actgen.build.ahead import compile_ahead

            made = compile_ahead(settings, jobs)
            click.echo(f"compiled: {', '.join(made)}" if made else "compiled: all was before")
    elif report.is_fresh:
        click.echo(f"{shown}: {report.total} activations, up to date")
    else:
        from actgen.terminal import show_difference

        show_difference(report.difference)
        raise Failure(f"{shown} is stale; run `actgen build`")


@main.command(epilog=EXIT_CODES)
@click.argument("names", metavar="[SPEC]...", nargs=-1)
@_specs
@_jobs
def check(names: tuple[str, ...], specs: Path | None, jobs: int | None) -> None:
    """Parse, derive and judge specs (all of them, or those named by path or name); write nothing."""
    from actgen import facts
    from actgen.build.progress import Silence
    from actgen.build.workers import run_all
    from actgen.catalog import find_activations
    from actgen.scaffold import find_blanks
    from actgen.symbolic.examination import examine_all
    from actgen.terminal import show_table

    activations = find_activations(names, _settings(specs).specs)
    for caution in examine_all(activations):
        click.echo(caution)
    paths = {activation.path: Path(activation.path) for activation in activations}
    progress = _Progress() if len(paths) > 1 else Silence()
    judge = partial(facts.judge, targets=_settings(specs).targets)
    verdicts = run_all(judge, paths, workers=jobs, progress=progress)
    rows = [row for verdict in verdicts for row in verdict.rows]
    show_table(facts.CHECK_TITLE, facts.CHECK_COLUMNS, rows, facts.CHECK_NUMBERS)
    for path in paths.values():
        for number, line in find_blanks(path):
            click.echo(f"{path}:{number}: still to be filled in: {line}")
    missed = [line for verdict in verdicts for line in verdict.missed]
    if missed:
        raise Failure("\n".join(["The accuracy contract is missed:", *missed]))


@main.command("verify", epilog=EXIT_CODES)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_specs
@click.option("--out", type=_FOLDER, help="Folder of generated code.  [default: generated]")
@click.option("--framework", "frameworks", multiple=True, type=_choice("torch", "keras", "jax"), help=_SOME)
@click.option("--mode", "modes", multiple=True, type=_choice("eager", "compiled"), help=_SOME)
@click.option("--dtype", "dtypes", multiple=True, type=_choice("float64", "float32", "bfloat16", "float16"), help=_SOME)
@click.option("--order", help="Value 0, derivatives 1 and 2.  [default: 0,1,2; of an exhaustive run 0]")
@click.option("--points", type=click.IntRange(min=64), help="Floats of float32 and float64.  [default: 2^20]")
@click.option("--exhaustive", is_flag=True, help="All 2^32 numbers of float32, in place of a sample.")
@click.option("--check", is_flag=True, help="Run nothing; exit with 1 if the record is of other code.")
@_jobs
def verify_command(
    names: tuple[str, ...],
    specs: Path | None,
    out: Path | None,
    frameworks: tuple[str, ...],
    modes: tuple[str, ...],
    dtypes: tuple[str, ...],
    order: str | None,
    points: int | None,
    exhaustive: bool,
    check: bool,
    jobs: int | None,
) -> None:
    """Run the generated code in the frameworks and hold it against exact values; write ACCURACY.md.

    What was measured already is not measured again: an interrupted run goes on where it stopped.
    """
    from actgen import verify
    from actgen.catalog import find_activations
    from actgen.terminal import show_table

    settings = find_settings(Path.cwd(), specs=specs, out=out)
    activations = find_activations(names, settings.specs)
    if check:
        stale = verify.stale(settings, activations)
        if stale:
            raise Failure("\n".join(["Not what was measured; run `actgen verify`:", *stale]))
        click.echo(f"{settings.display(settings.out)}: measured as it is")
        return
    request = verify.Request.of(frameworks, modes, dtypes, order, points, exhaustive)
    record = verify.verify(activations, settings, request, jobs=jobs, progress=_Progress())
    show_table(verify.TITLE, verify.COLUMNS, verify.table(record), verify.NUMBERS, marked="MISSED")
    for line in verify.left_out(settings, request):
        click.echo(f"Not measured: {line}")
    missed = verify.missed(record)
    if missed:
        raise Failure("\n".join(["The accuracy contract is missed:", *missed]))


@main.command("bench", epilog=EXIT_CODES)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_specs
@click.option("--out", type=_FOLDER, help="Folder of generated code.  [default: generated]")
@click.option("--way", "ways", multiple=True, type=_choice(*_WAYS), help=_SOME)
@click.option(
    *("--dtype", "dtypes"),
    multiple=True,
    type=_choice("float32", "bfloat16"),
    help="May be given more than once.  [default: float32]",
)
@click.option("--size", "sizes", multiple=True, help="How many numbers, such as 2^20; may be given more than once.")
@click.option("--pass", "passes", multiple=True, type=_choice("forward", "training"), help=_SOME)
@click.option("--rounds", type=click.IntRange(min=1), help="How often each takes its turn.  [default: 9]")
@click.option(
    *("--output", "-o"),
    type=_FOLDER,
    default=Path("benchmarks"),
    show_default=True,
    help="Folder of the record, its page and its pictures.",
)
def bench_command(
    names: tuple[str, ...],
    specs: Path | None,
    out: Path | None,
    ways: tuple[str, ...],
    dtypes: tuple[str, ...],
    sizes: tuple[str, ...],
    passes: tuple[str, ...],
    rounds: int | None,
    output: Path,
) -> None:
    """Time the generated code beside the frameworks' own and beside the formula as typed; write the results."""
    from actgen import bench
    from actgen.catalog import find_activations
    from actgen.terminal import show_table

    settings = find_settings(Path.cwd(), specs=specs, out=out)
    activations = find_activations(names, settings.specs)
    request = bench.Request.of(ways, dtypes, sizes, passes, rounds)
    record = bench.bench(activations, settings, request, output, progress=_Progress())
    show_table(bench.TITLE, bench.COLUMNS, bench.table(record), bench.NUMBERS)
    click.echo(f"{output / 'README.md'}: written")


@main.command("frameworks", epilog=EXIT_CODES)
@_specs
@click.option("--out", type=_FOLDER, help="Folder of generated code.  [default: generated]")
@click.option(
    *("--output", "-o", "page"),
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("docs/frameworks.md"),
    show_default=True,
    help="File.",
)
@click.option("--check", is_flag=True, help="Run nothing; exit with 1 if the page is of other specs.")
@_jobs
def frameworks_command(specs: Path | None, out: Path | None, page: Path, check: bool, jobs: int | None) -> None:
    """Compare all activations with those of the frameworks; write what they call them and where they differ."""
    from actgen import frameworks
    from actgen.catalog import find_activations

    settings = find_settings(Path.cwd(), specs=specs, out=out)
    activations = find_activations((), settings.specs)
    if not check:
        frameworks.write(activations, settings, page, jobs=jobs, progress=_Progress())
        click.echo(f"{page}: written")
    elif frameworks.is_current(activations, page):
        click.echo(f"{page}: {len(activations)} activations, up to date")
    else:
        raise Failure(f"{page} is stale; run `actgen frameworks`")


@main.command(epilog=EXIT_CODES)
@click.argument("name")
@click.option("--expression", required=True, help='The formula, such as "x * tanh(x)**2".')
@click.option("--title", help="The title; made from the name if it is not given.")
@_specs
def new(name: str, expression: str, title: str | None, specs: Path | None) -> None:
    """Make the spec file NAME.toml from a formula, and say what to fill in."""
    from actgen.scaffold import create, spec_path

    made = create(spec_path(specs or own_specs(Path.cwd()), name), expression=expression, title=title)
    click.echo(f"{made.path}: made; fill in:")
    for number, line in made.blanks:
        click.echo(f"  line {number}: {line}")


@main.command("list", epilog=EXIT_CODES)
@_specs
def list_command(specs: Path | None) -> None:
    """List the activations: names, formula, parameters, aliases."""
    from actgen import facts
    from actgen.catalog import find_activations
    from actgen.terminal import show_table

    activations = find_activations((), _settings(specs).specs)
    show_table(f"{len(activations)} activations", facts.LIST_COLUMNS, map(facts.list_row, activations))


@main.command(epilog=EXIT_CODES)
@click.argument("name")
@click.option("--numerics", is_flag=True, help="Show the forms tried for each kernel, and why one was chosen.")
@_specs
def show(name: str, numerics: bool, specs: Path | None) -> None:
    """Show an activation: formula, derivatives, limits, parity, kinks, parameters, emitted names."""
    from actgen import facts
    from actgen.catalog import find_activation
    from actgen.numerics import derive, derive_for, remembering
    from actgen.terminal import show_facts, show_table

    settings = _settings(specs)
    activation = find_activation(name, settings.specs)
    if activation.kind == "axiswise":
        from actgen import axiswise_facts

        if numerics:
            rows = axiswise_facts.judge(activation, facts.arithmetics(settings.targets))[0]
            show_table(facts.CHECK_TITLE, facts.CHECK_COLUMNS, rows, facts.CHECK_NUMBERS)
        else:
            show_facts(activation.title, axiswise_facts.show_facts(activation, settings.targets))
        return
    if numerics:
        with remembering():
            rows = facts.numerics_rows(derive_for(activation, facts.arithmetics(settings.targets)))
        show_table(facts.NUMERICS_TITLE, facts.NUMERICS_COLUMNS, rows, facts.NUMERICS_NUMBERS)
        return
    show_facts(activation.title, facts.show_facts(derive(activation), settings.targets))


@main.command(epilog=EXIT_CODES)
@click.argument("name")
@click.option("--parameter", "parameters", multiple=True, help="A family of curves, such as beta=0.5,1,2.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File.  [default: NAME.png]")
@click.option("--range", "interval", type=(float, float), default=(-5.0, 5.0), help="Ends of the input axis.")
@_specs
def plot(
    name: str, parameters: tuple[str, ...], output: Path | None, interval: tuple[float, float], specs: Path | None
) -> None:
    """Draw an activation and its derivative to a file (png, svg or pdf)."""
    from actgen import plot as plots
    from actgen.catalog import find_activation

    family = plots.parse_family(parameters)
    activation = find_activation(name, _settings(specs).specs)
    path = output or Path(f"{activation.name}.png")
    plots.plot(activation, path, family=family, interval=interval)
    click.echo(f"{path}: written")


def _settings(specs: Path | None) -> Settings:
    return find_settings(Path.cwd(), specs=specs)


class _Progress:
    """The progress of a build; what shows it is imported when there is something to show."""

    def start(self, total: int) -> None:
        from actgen.terminal import make_progress

        self._shown = make_progress()
        self._shown.start(total)

    def finish(self, name: str) -> None:
        self._shown.finish(name)

    def stop(self) -> None:
        self._shown.stop()
