import pickle

from actgen.spec.problem import Problem, SpecError, nearest


def test_a_problem_without_a_line_is_one_sentence() -> None:
    assert (
        str(Problem("specs", "this folder holds no specs", "write one"))
        == "specs: this folder holds no specs; write one"
    )


def test_a_caret_stands_under_the_text_whatever_is_before_it() -> None:
    problem = Problem("a.toml", "no", line=1, column=4, extent=2, source="\t日\u202exy")
    assert str(problem).splitlines()[1:] == ["   日\N{REPLACEMENT CHARACTER}xy", "      ^^"]


def test_a_long_line_is_cut_around_the_caret() -> None:
    problem = Problem("a.toml", "no", line=1, column=501, extent=3, source="-" * 500 + "BAD" + "-" * 500)
    shown, caret = str(problem).splitlines()[1:]
    assert len(shown) < 120
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "BAD"


def test_a_terminal_gets_no_escape_codes_from_a_file() -> None:
    problem = Problem("\x1b[2J.toml", "no \x1b[31m", line=1, column=1, extent=1, source="\x1b]0;title\x07")
    assert "\x1b" not in str(problem)
    assert "\x07" not in str(problem)


def test_an_error_crosses_processes_with_all_its_problems() -> None:
    error = SpecError([Problem("a.toml", "one"), Problem("b.toml", "two", line=3)])
    copy = pickle.loads(pickle.dumps(error))
    assert copy.problems == error.problems
    assert str(copy) == "a.toml: one\nb.toml:3:1: two"


def test_the_nearest_name_is_found_in_either_case_or_not_at_all() -> None:
    assert nearest("SIGMOID", ["sigmoid", "sin"]) == "did you mean 'sigmoid'?"
    assert nearest("zzz", ["sigmoid", "sin"]) == ""
