"""Bare problems from CSV: what is read, and what is said of files that are wrong."""

import pytest

from tinyrt.errors import PlanError
from tinyrt.plan.csv_problem import parse_csv
from tinyrt.plan.problem import Buffer


def test_reads_the_minimalloc_format() -> None:
    problem = parse_csv("id,lower,upper,size\nb1,0,3,4\n\nb2,3,9,4096\r\n")
    assert problem.buffers == (Buffer("b1", 0, 3, 4), Buffer("b2", 3, 9, 4096))


def test_columns_may_come_in_any_order() -> None:
    problem = parse_csv("size, note ,upper,lower,ID\n4,x,3,0,b1\n")
    assert problem.buffers == (Buffer("b1", 0, 3, 4),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column id, lower, upper, size"),
        ("id,lower,size\n", "no column upper"),
        ("id,lower,upper,size\n1,0,1\n", "line 2: 3 cells (the heading has 4)"),
        ("id,lower,upper,size\n1,0,1,-4\n", "line 2: size '-4' (must be a whole number"),
        ("id,lower,upper,size\n1,0,x,4\n", "line 2: upper 'x'"),
        ("id,lower,upper,size\n1,3,3,4\n", "line 2: lower 3 must be less than upper 3"),
        ("id,lower,upper,size\n1,0,1,4\n1,0,1,4\n", "line 3: id '1' was given on line 2"),
        ("id,lower,upper,size\n1,0,1," + "9" * 5000 + "\n", "line 2: size '999"),
        ("id,lower,upper,size\n1,0,1,9999999999999999999\n", "must be at most 2^63 - 1"),
        ("id,lower,upper,size\n" + "1,0,1,1\n" * 20_001, "at most 20,000"),
    ],
)
def test_says_in_one_line_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_csv(text, "f.csv")
    assert message in str(caught.value)
    assert str(caught.value).startswith("f.csv")
    assert "\n" not in str(caught.value)
