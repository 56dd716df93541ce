import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.panel.risk import Colour, DomainReport, colour, risk_matrix

ORDER = list(Colour)


def report(domain: str, shade: Colour, **facts: object) -> DomainReport:
    return DomainReport(domain=domain, colour=shade, why=f"{domain} says so", facts=facts)


@pytest.mark.parametrize(
    ("given_word", "meant"),
    [
        ("G", Colour.GREEN),
        ("yellow", Colour.YELLOW),
        (" Red ", Colour.RED),
        ("grey", None),
        ("amber", None),
        ("", None),
        (3, None),
    ],
)
def test_a_colour_is_a_letter_or_its_word(given_word: object, meant: Colour | None) -> None:
    assert colour(given_word) is meant


@pytest.mark.requirement("S160", "A29")
def test_the_overall_risk_is_the_worst_domain() -> None:
    matrix = risk_matrix(
        [
            report("legal", Colour.YELLOW),
            report("sales", Colour.GREEN),
            report("finance", Colour.RED),
        ],
        {},
    )

    assert matrix.as_dict() == {
        "overall": "red",
        "worst_known": "red",
        "domains": [
            {"domain": "legal", "colour": "yellow", "why": "legal says so"},
            {"domain": "sales", "colour": "green", "why": "sales says so"},
            {"domain": "finance", "colour": "red", "why": "finance says so"},
        ],
        "missing": [],
        "conflicts": [],
    }


@pytest.mark.requirement("A29")
def test_a_missing_domain_is_grey_and_keeps_the_whole_from_being_green() -> None:
    matrix = risk_matrix([report("legal", Colour.GREEN)], {"sales": "failed: timeout"})

    assert (matrix.overall, matrix.worst_known, matrix.missing) == (
        Colour.GREY,
        Colour.GREEN,
        ["sales"],
    )


def test_of_no_domain_nothing_is_known() -> None:
    assert risk_matrix([], {}).overall is Colour.GREY


@pytest.mark.requirement("A29")
def test_domains_that_assert_different_things_of_one_field_are_in_conflict() -> None:
    matrix = risk_matrix(
        [
            report("legal", Colour.GREEN, term="36 months", auto_renewal=True),
            report("sales", Colour.GREEN, term="12 months", auto_renewal=True),
            report("finance", Colour.GREEN, term="36  Months"),
        ],
        {},
    )

    assert matrix.conflicts == (
        {
            "field": "term",
            "values": [
                {"value": "36 months", "sources": ["legal", "finance"]},
                {"value": "12 months", "sources": ["sales"]},
            ],
        },
    )


@given(st.lists(st.sampled_from([Colour.GREEN, Colour.YELLOW, Colour.RED]), min_size=1))
def test_a_lost_domain_never_makes_the_rest_look_better(colours: list[Colour]) -> None:
    reports = [report(f"d{number}", shade) for number, shade in enumerate(colours)]

    rest = risk_matrix(reports[1:], {})
    with_gap = risk_matrix(reports[1:], {"d0": "no result"})

    assert ORDER.index(with_gap.overall) >= ORDER.index(rest.overall)
    assert with_gap.overall in {Colour.GREY, Colour.RED}
