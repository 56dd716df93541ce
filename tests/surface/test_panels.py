"""The digest of a panel: votes, weights and dissent, or a matrix of risks."""

from typing import Any

import pytest
from mcp import Client

from relaybook.engine import Engine
from tests.helpers import task
from tests.surface.calls import call, refusal
from tests.surface.digests import aggregate, break_down, do

pytestmark = pytest.mark.anyio


ROLES = ("security", "cost", "usability", "performance")


def opinion(verdict: str, score: int, **more: Any) -> dict[str, Any]:
    return {
        "verdict": verdict,
        "reason": f"It is {verdict}.",
        "criteria": [{"name": "fit", "score": score, "why": "seen"}],
        "blockers": [],
        "risks": [],
        "alternatives": [],
        "would_change_mind": "nothing",
    } | more


async def panel_of(client: Client, *more: str, **said: Any) -> str:
    criteria = [{"name": name, "question": f"What of its {name}?"} for name in ("fit", *more)]
    tasks = [
        {
            "id": role,
            "label": f"Judge {role}",
            "template": "consensus_check",
            "expert_role": role,
            "args": {"proposal": "Move the tables.", "criteria": criteria},
        }
        for role in ROLES
    ]
    created = await call(client, "create_workflow", pattern="expert_panel", tasks=tasks, **said)
    return created["workflow_id"]


def judge(engine: Engine, workflow_id: str, role: str, data: Any) -> Any:
    evidence = [{"claim": "seen", "source": "the proposal"}]
    return do(engine, workflow_id, role, data, evidence=evidence)


@pytest.mark.requirement("S11", "S33", "S34")
async def test_three_experts_review_a_system_design_and_the_orchestrator_sums_them_up(
    client: Client, engine: Engine
) -> None:
    criteria = [{"name": "fit", "question": "Is it ready for production?"}]
    tasks = [
        {"id": role, "label": f"The {role} view", "expert_role": role,
         "args": {"proposal": "One process behind one load balancer.", "criteria": criteria}}
        for role in ("security", "performance", "architecture")
    ]  # fmt: skip
    goal = "Review this system design for production readiness"
    made = await call(client, "create_workflow", pattern="expert_panel", name=goal, tasks=tasks)
    name = made["workflow_id"]
    for role, word, score in (("security", "reject", 2), ("performance", "approve", 4)):
        judge(engine, name, role, opinion(word, score))
    early = await aggregate(client, name)
    judge(engine, name, "architecture", opinion("approve", 4))

    found = await aggregate(client, name)

    assert early["panel"]["missing"] == ["architecture"]
    assert found["panel"]["votes"] == {
        "security": "reject", "performance": "approve", "architecture": "approve",
    }  # fmt: skip
    assert (found["status"], found["panel"]["missing"]) == ("completed", [])
    assert found["panel"]["side"] == "approve"
    assert "spawn no worker for it" in found["brief"]["rule"]


@pytest.mark.requirement("S33", "S108", "A29", "A32")
async def test_one_blocking_objection_of_a_panel_outweighs_its_majority(
    client: Client, engine: Engine
) -> None:
    name = await panel_of(client)
    judge(engine, name, "security", opinion("approve", 4, blockers=["No way back."]))
    for role, word, score in (("cost", "strong_approve", 5), ("usability", "approve", 4)):
        judge(engine, name, role, opinion(word, score))
    before = await aggregate(client, name)
    judge(engine, name, "performance", opinion("strong_reject", 1))

    found = await aggregate(client, name, detail="detailed")

    panel = found["panel"]
    assert (before["panel"]["outcome"], before["panel"]["missing"]) == ("blocked", ["performance"])
    assert {name: panel[name] for name in ("outcome", "side", "median", "missing", "quorum")} == {
        "outcome": "blocked",
        "side": "approve",
        "median": 4.0,
        "missing": [],
        "quorum": {"needed": 3, "cast": 4},
    }
    assert panel["counts"] == {
        "strong_approve": 1,
        "approve": 2,
        "neutral": 0,
        "reject": 0,
        "strong_reject": 1,
    }
    assert found["dissent"] == [
        {
            "expert": "security",
            "verdict": "approve",
            "reason": "It is approve.",
            "blockers": ["No way back."],
        },
        {
            "expert": "performance",
            "verdict": "strong_reject",
            "reason": "It is strong_reject.",
        },
    ]
    assert (
        "Every blocking objection, in full: one suffices to block."
        in (found["brief"]["must_mention"])
    )
    assert panel["alpha"]["value"] is None
    assert panel["alpha"]["reason"]
    assert "correlated" in panel["independence"]


async def test_criteria_that_an_expert_leaves_out_or_makes_up_are_named_and_not_counted(
    client: Client, engine: Engine
) -> None:
    name = await panel_of(client, "risk")
    both = [{"name": each, "score": 4, "why": "seen"} for each in ("Fit", "risk")]
    own = [{"name": "style", "score": 5, "why": "seen"}, *both[:1]]
    judged = judge(engine, name, "security", opinion("approve", 4, criteria=both))
    strayed = judge(engine, name, "cost", opinion("approve", 4, criteria=own))

    found = await aggregate(client, name)

    off = {"missing": ["risk"], "invented": ["style"]}
    assert ("coverage" in judged, strayed["coverage"]) == (False, off)
    assert "not asked for" in strayed["advice"]
    assert found["panel"]["criteria"] == [
        {"criterion": "fit", "mean": 4, "experts": 2},
        {"criterion": "risk", "mean": 4, "experts": 1},
    ]
    assert found["coverage_problems"] == [
        {"problem": problem, "task_id": "cost", "criteria": names} for problem, names in off.items()
    ]
    assert "Experts who left criteria out or made some up (1)." in found["brief"]["must_mention"]


async def test_weights_of_the_orchestrator_stand_beside_the_plain_votes(
    client: Client, engine: Engine
) -> None:
    weights = {"experts": {"security": 10}, "criteria": {"fit": {"cost": 4}}}
    name = await panel_of(client, metadata={"weights": weights, "quorum": 2})
    for role, word, score in (
        ("security", "reject", 2),
        ("cost", "approve", 4),
        ("usability", "approve", 4),
        ("performance", "approve", 4),
    ):
        judge(engine, name, role, opinion(word, score))

    found = await aggregate(client, name)

    panel = found["panel"]
    assert (panel["outcome"], panel["side"], panel["mean"]) == ("majority", "approve", 3.5)
    assert panel["weighted"] == {
        "outcome": "majority",
        "side": "reject",
        "mean": 2.4615,
        "differs": True,
    }
    assert panel["criteria"] == [{"criterion": "fit", "mean": 3.5, "experts": 4, "weighted": 2.75}]
    assert panel["quorum"] == {"needed": 2, "cast": 4}
    assert (
        "Weighted votes give another outcome than plain ones: state both."
        in (found["brief"]["must_mention"])
    )


async def test_weights_of_an_expert_that_is_none_are_refused(client: Client) -> None:
    with pytest.raises(AssertionError, match="securty"):
        await panel_of(client, metadata={"weights": {"experts": {"securty": 2}}})

    error = await refusal(
        client, "create_workflow", pattern="fan_out", tasks=[task("a")], metadata={"quorum": 2}
    )
    assert "quorum" in error["message"]


DEAL = {"deal": "Arden", "decision_date": "Friday", "documents": [{"path": "c", "content": "x"}]}


@pytest.mark.requirement("S160", "S161", "A29")
async def test_a_deal_review_is_one_matrix_in_which_a_missing_domain_is_grey(
    client: Client, engine: Engine
) -> None:
    created = await call(client, "create_workflow", composition="deal_review", args=DEAL)
    name = created["workflow_id"]

    def rate(domain: str, colour: str, **facts: str) -> None:
        data = {"domain": domain, "colour": colour, "why": "read", "facts": facts}
        lists = {"issues": [], "missing": [], "questions": []}
        judge(engine, name, domain, data | lists)

    rate("legal", "yellow", term="36 months")
    rate("sales", "green", term="12 months")
    break_down(engine, name, "finance", "no figures")

    found = await aggregate(client, name)

    assert found["risk"] == {
        "overall": "grey",
        "worst_known": "yellow",
        "domains": [
            {"domain": "legal", "colour": "yellow", "why": "read"},
            {"domain": "sales", "colour": "green", "why": "read"},
            {"domain": "finance", "colour": "grey", "why": "no figures"},
        ],
        "missing": ["finance"],
        "conflicts": 1,
    }
    assert found["conflicts"] == [
        {
            "field": "term",
            "values": [
                {"value": "36 months", "sources": ["legal"]},
                {"value": "12 months", "sources": ["sales"]},
            ],
        }
    ]
    brief = found["brief"]
    assert brief["asked"].startswith("One page for the person who decides on Arden:")
    assert brief["acceptance"][1] == "The overall colour is the worst of the domains."
    assert brief["order"][0] == "the overall colour"
    assert "spawn no worker for it" in brief["rule"]


OPTIONS = [{"name": name, "description": "As offered."} for name in ("buy", "build", "rent")]


async def voters(client: Client) -> str:
    criteria = [{"name": "cost", "question": "What does it cost?"}]
    tasks = [
        {"id": role, "label": f"Rank {role}", "template": "rank_options", "expert_role": role,
         "args": {"options": OPTIONS, "criteria": criteria}}
        for role in ROLES[:3]
    ]  # fmt: skip
    return (await call(client, "create_workflow", pattern="expert_panel", tasks=tasks))[
        "workflow_id"
    ]


async def test_options_that_a_ballot_leaves_out_or_makes_up_are_named_and_not_counted(
    client: Client, engine: Engine
) -> None:
    name = await voters(client)

    def rank(role: str, *ranking: str) -> Any:
        return judge(engine, name, role, {"ranking": list(ranking), "reasons": []})

    strayed = rank("security", "lease", "Buy")
    whole = rank("cost", "buy", "build", "rent")
    rank("usability", "lease", "hire")

    found = await aggregate(client, name)

    off = {"missing": ["build", "rent"], "invented": ["lease"]}
    assert ("coverage" in whole, strayed["coverage"]) == (False, off)
    assert "not asked for" in strayed["advice"]
    choice = found["choice"]
    assert choice["missing"] == ["usability"]
    assert choice["ranking"]["borda"] == [
        {"option": "buy", "points": 4},
        {"option": "build", "points": 1.5},
        {"option": "rent", "points": 0.5},
    ]
    assert (choice["ranking"]["condorcet_winner"], choice["ranking"]["ballots"]) == ("buy", 2)
    assert found["coverage_problems"] == [
        {"problem": "missing", "task_id": "security", "options": ["build", "rent"]},
        {"problem": "invented", "task_id": "security", "options": ["lease"]},
        {"problem": "missing", "task_id": "usability", "options": ["buy", "build", "rent"]},
        {"problem": "invented", "task_id": "usability", "options": ["hire", "lease"]},
    ]
    assert "Voters who left options out or made some up (2)." in found["brief"]["must_mention"]


async def weighed(client: Client, weight: float) -> str:
    criteria = [
        {"name": "fit", "question": "Does it fit?", "weight": weight},
        {"name": "risk", "question": "What can go wrong?", "weight": 1},
    ]
    tasks = [
        {"id": role, "label": f"Judge {role}", "template": "consensus_check", "expert_role": role,
         "args": {"proposal": "Move the tables.", "criteria": criteria}}
        for role in ROLES[:2]
    ]  # fmt: skip
    return (await call(client, "create_workflow", pattern="expert_panel", tasks=tasks))[
        "workflow_id"
    ]


async def test_the_weight_of_a_criterion_reaches_the_expert_and_the_mean(
    client: Client, engine: Engine
) -> None:
    name = await weighed(client, 3)
    prompt = (await call(client, "render_prompt", workflow_id=name, task_id="cost"))["prompt"]
    scores = [{"name": "fit", "score": 1, "why": "seen"}, {"name": "risk", "score": 5, "why": "-"}]
    more = [{"name": "fit", "score": 2, "why": "seen"}, {"name": "risk", "score": 5, "why": "-"}]
    judge(engine, name, "security", opinion("neutral", 3, criteria=scores))
    judge(engine, name, "cost", opinion("neutral", 3, criteria=more))

    found = await aggregate(client, name)

    assert "- fit (weight 3): Does it fit?" in prompt
    assert found["panel"]["criteria_mean"] == {"mean": 3.25, "weighted": 2.375}
    assert (
        "Weighted criteria stand on the other side of neutral than plain ones: state both."
        in found["brief"]["must_mention"]
    )


async def test_a_weight_that_no_mean_can_be_taken_by_is_refused(client: Client) -> None:
    with pytest.raises(AssertionError, match="Criterion 'fit' has the weight -1"):
        await weighed(client, -1)


async def test_one_vote_of_three_is_no_split_and_one_vote_no_quorum(
    client: Client, engine: Engine
) -> None:
    name = await panel_of(client, metadata={"quorum": 2})
    judge(engine, name, "security", opinion("approve", 4))
    alone = await aggregate(client, name)
    judge(engine, name, "cost", opinion("approve", 4))

    found = await aggregate(client, name)

    assert (alone["panel"]["outcome"], found["panel"]["outcome"]) == ("insufficient",) * 2
    assert found["panel"]["dissent"] == 0
    with pytest.raises(AssertionError, match="from 2 to the 4 experts"):
        await panel_of(client, metadata={"quorum": 1})
