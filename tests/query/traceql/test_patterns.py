"""Regular expressions from strangers."""

import pytest

from query.traceql.patterns import Pattern


@pytest.mark.parametrize(
    ("expression", "text", "matches"),
    [
        ("a|b", "a", True),
        ("a|b", "ab", False),
        ("pay.*", "payment\nline", True),
        ("(?i)GET", "get", True),
        ("5..", "503", True),
        ("", "", True),
        ("", "x", False),
        (".", "é", True),
        (".*", "\ud800", True),
    ],
)
def test_a_pattern_matches_whole_texts(expression: str, text: str, matches: bool) -> None:
    pattern = Pattern(expression)
    assert pattern.matches(text) is matches
    assert pattern.matches(text) is matches


@pytest.mark.parametrize("expression", ["(", "a)|(b", "(?=a)", "*", r"\8", "\ud800"])
def test_what_is_no_expression_of_re2_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Pattern(expression)


def test_an_expression_that_backtracking_would_never_end_is_answered() -> None:
    assert not Pattern("(a+)+$").matches("a" * 50_000 + "b")
