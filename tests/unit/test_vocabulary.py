"""The words of the views: one state, one mapping."""

import pytest

from relaybook.core.task.status import FLAGS
from relaybook.model import ITEM_EVENTS, WORDS, Status, WorkflowStatus


@pytest.mark.requirement("A20")
def test_every_view_has_a_word_for_every_state() -> None:
    assert list(WORDS) == list(Status)
    assert {words.item for words in WORDS.values()} == {
        "todo",
        "in_progress",
        "blocked",
        "review",
        "done",
        "failed",
    }
    assert {words.stage for words in WORDS.values()} == {
        "pending",
        "in_progress",
        "done",
        "failed",
        "skipped",
    }


@pytest.mark.requirement("A20")
def test_the_ledger_and_its_workflows_keep_the_words_of_the_playbook() -> None:
    ledger = [words.ledger for words in WORDS.values()]

    assert ledger == [str(status) for status in Status]
    assert {"pending", "in_progress", "completed", "failed", "cancelled"} <= set(ledger)
    assert {*map(str, WorkflowStatus)} == {
        *("pending", "in_progress", "completed", "failed"),
        *("partial", "cancelled"),
    }
    assert {"blocked", "stalled", "update_due"} <= set(FLAGS)
    assert {*FLAGS}.isdisjoint({*Status, *WorkflowStatus})


@pytest.mark.requirement("A20", "S187")
def test_the_views_agree_on_what_is_named_alike() -> None:
    assert WORDS[Status.COMPLETED].item == WORDS[Status.COMPLETED].stage == "done"
    assert WORDS[Status.PENDING].item == "todo"
    assert WORDS[Status.PENDING].icon == "⏳"


@pytest.mark.requirement("S187")
def test_every_state_has_an_icon_of_its_own() -> None:
    icons = [words.icon for words in WORDS.values()]

    assert len(set(icons)) == len(icons)
    shown = (
        Status.PENDING, Status.IN_PROGRESS, Status.COMPLETED, Status.FAILED, Status.NOT_APPLICABLE,
    )  # fmt: skip
    assert [WORDS[status].icon for status in shown] == ["⏳", "🔄", "✅", "❌", "⏭"]


@pytest.mark.requirement("S225")
def test_the_events_of_an_item_have_the_twelve_names() -> None:
    names = {name for each in ITEM_EVENTS.values() for name in each}

    assert names == {
        "created",
        "started",
        "status_change",
        "dependency_added",
        "artifact_added",
        "metric_recorded",
        "test_recorded",
        "finding_added",
        "followup_added",
        "handoff",
        "completed",
        "failed",
    }
