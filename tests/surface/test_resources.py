"""Resources: the same table in both eras, each with its kind, errors that name what there is."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from relaybook.engine import Engine
from relaybook.engine.readables.table import READABLES
from relaybook.engine.request import Resolution
from relaybook.model import WORDS
from relaybook.registry.shipped import shipped
from relaybook.registry.templates import Templates
from relaybook.surface.board import BOARD_URI
from tests.helpers import Clock, complete, fail, start, task, workflow
from tests.surface.calls import filled, read_json, read_text
from tests.surface.conftest import Mode

pytestmark = pytest.mark.anyio

NINE_HEADINGS = [
    "PATTERNS",
    "DECIDE",
    "CONTEXT",
    "SPAWN",
    "TRACK",
    "RETRY",
    "WORKERS",
    "COST",
    "RECOVER",
]

#: What the card says under each of them.
NINE_RULES = [
    "each step takes the result of the one before",
    "under 5 minutes, do it yourself",
    "a role, one task in a sentence, the input itself, constraints",
    "`wf_<id>_<task>_<desc>`",
    "Record each start, end and failure",
    "may start 2 times more; its next prompt carries the errors. 3 tasks failed",
    "3 to 6 at once, 5 to 15 minutes",
    "Words of the prompt times the number of workers",
    "Part of the results is better than none",
]
#: What the views of the ledger, the contracts, the prompts and the guides are found under.
PROMISED = [
    "ledger://workflows",
    "ledger://workflows/active",
    "ledger://workflows/{id}",
    "ledger://workflows/{id}/tasks/{task_id}",
    "ledger://workflows/{id}/events",
    "ledger://workflows/{id}/graph",
    "ledger://items",
    "ledger://items/{slug}",
    "ledger://stats",
    "ledger://lessons",
    "ledger://health",
    "contract://index",
    "contract://{name}",
    "prompt://index",
    "prompt://{name}",
    "guide://quick-reference",
    "guide://vocabulary",
]


async def test_each_client_speaks_the_era_it_stands_for(client: Client, mode: Mode) -> None:
    versions = {"auto": "2026-07-28", "legacy": "2025-11-25"}

    assert client.protocol_version == versions[mode]


@pytest.mark.requirement("S255")
async def test_every_row_of_the_table_is_listed_once(client: Client) -> None:
    resources = (await client.list_resources()).resources
    templates = (await client.list_resource_templates()).resource_templates

    listed = [each.uri for each in resources] + [each.uri_template for each in templates]
    assert sorted(listed) == sorted([BOARD_URI, *(each.uri for each in READABLES)])
    assert set(PROMISED) <= set(listed)


async def test_every_resource_is_introduced(client: Client) -> None:
    resources = (await client.list_resources()).resources
    templates = (await client.list_resource_templates()).resource_templates

    for each in (*resources, *templates):
        assert each.title
        assert each.description
        assert each.mime_type
        assert each.annotations is not None
        assert each.annotations.audience


async def test_every_resource_of_a_workflow_can_be_read(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")
    complete(engine, workflow_id, "a", {"found": 1})

    for each in READABLES:
        uri = filled(each.uri, workflow_id, "a")
        assert await read_text(client, uri) == engine.read_text(uri).text != ""


async def test_a_task_shows_its_attempts_with_their_errors(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a", session_key="s1")
    fail(engine, workflow_id, "a", "no such file", error_code="crash")

    shown = await read_json(client, f"ledger://workflows/{workflow_id}/tasks/a")

    assert (shown["status"], shown["item_status"], shown["icon"]) == ("failed", "failed", "❌")
    (attempt,) = shown["attempts"]
    assert (
        attempt["outcome"],
        attempt["error_code"],
        attempt["error"],
        attempt["session_key"],
    ) == (
        "failed",
        "crash",
        "no such file",
        "s1",
    )


async def test_no_resource_tells_a_claim(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    claim = start(engine, workflow_id, "a")

    for each in READABLES:
        if not each.uri.endswith("/result"):
            uri = filled(each.uri, workflow_id, "a")
            assert claim not in await read_text(client, uri)


async def test_a_long_result_is_named_by_its_uri(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")
    complete(engine, workflow_id, "a", "x" * 9_000)

    shown = await read_json(client, f"ledger://workflows/{workflow_id}/tasks/a")

    assert (await read_json(client, shown["result"]["uri"]))["data"] == "x" * 9_000


async def test_a_graph_draws_each_task_with_its_icon(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a", task("b", "a", label='say "no"; end'))
    start(engine, workflow_id, "a")

    assert await read_text(client, f"ledger://workflows/{workflow_id}/graph") == (
        "flowchart LR\n"
        '    t0["🔄 a: Do a"]\n'
        '    t1["⏳ b: say #34;no#34;#59; end"]\n'
        "    t0 --> t1\n"
    )


async def test_a_large_graph_is_drawn_by_layers(client: Client, engine: Engine) -> None:
    first = [task(f"a{n}") for n in range(150)]
    then = [task(f"b{n}", f"a{n}") for n in range(150)]
    workflow_id = workflow(engine, *first, *then)
    start(engine, workflow_id, "a0")

    assert await read_text(client, f"ledger://workflows/{workflow_id}/graph") == (
        "flowchart LR\n"
        '    g0["Layer 1: 150 tasks<br/>⏳ 149 🔄 1"]\n'
        '    g1["Layer 2: 150 tasks<br/>⏳ 150"]\n'
        "    g0 --> g1\n"
    )


async def test_a_long_chain_is_drawn_by_groups_of_layers(client: Client, engine: Engine) -> None:
    chain = [task(f"t{n}", *([f"t{n - 1}"] if n else [])) for n in range(450)]
    workflow_id = workflow(engine, *chain)

    graph = await read_text(client, f"ledger://workflows/{workflow_id}/graph")

    assert graph.count("tasks<br/>") == 150
    assert '"Layers from 448: 3 tasks' in graph


async def test_long_lists_end_with_the_call_that_goes_on(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, *[task(f"t{n}") for n in range(700)])

    shown = await read_json(client, f"ledger://workflows/{workflow_id}")
    events = await read_json(client, f"ledger://workflows/{workflow_id}/events")

    assert [each["id"] for each in shown["tasks"]] == [f"t{n}" for n in range(300)]
    assert shown["more"] == "get_workflow(cursor='300') goes on from here"
    assert [each["seq"] for each in events["events"]] == list(range(202, 702))
    assert events["more"] == "get_workflow(since=0) begins with the 201 earlier ones"


@pytest.mark.requirement("S139")
@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("ledger://workflow", "ledger://workflows"),
        ("ledger://workflows/wf_9", "wf_00000001"),
        ("ledger://workflows/wf_00000001/tasks/alpa", "alpha"),
        ("ledger://workflows/wf_00000001/tasks/..", "alpha"),
        ("ledger://workflows/wf_00000001/tasks/alpha/result", "no result"),
        ("ledger://workflows/wf_00000001/tasks/alpha/prompt", "render_prompt"),
        ("prompt://reserch", "research"),
        ("ledger://lessons/default/no-target", "skill:<name>"),
        ("zzz", "ledger://workflows"),
    ],
)
async def test_what_is_not_there_is_refused_with_the_nearest(
    client: Client, engine: Engine, uri: str, named: str
) -> None:
    assert workflow(engine, "alpha") == "wf_00000001"

    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)

    assert caught.value.error.code == INVALID_PARAMS
    assert named in caught.value.error.message
    assert caught.value.error.data == {"uri": uri}


async def test_guides_keep_for_a_minute_and_the_ledger_not_at_all(
    client: Client, mode: Mode
) -> None:
    guide = await client.read_resource("guide://vocabulary")
    prompts = await client.read_resource("prompt://index")
    ledger = await client.read_resource("ledger://workflows")

    # The older protocol has no word for it.
    lasting = (60_000, "public") if mode == "auto" else (0, "private")
    assert (guide.ttl_ms, guide.cache_scope) == lasting
    assert (prompts.ttl_ms, prompts.cache_scope) == lasting
    assert (ledger.ttl_ms, ledger.cache_scope) == (0, "private")


async def test_the_list_tells_how_large_guides_are_and_when_the_ledger_changed(
    client: Client, engine: Engine, clock: Clock
) -> None:
    before = {each.uri: each for each in (await client.list_resources()).resources}
    workflow(engine, "a")
    after = {each.uri: each for each in (await client.list_resources()).resources}

    guide = "guide://quick-reference"
    assert after[guide].size == len((await read_text(client, guide)).encode())
    stamps = [each["ledger://workflows"].annotations for each in (before, after)]
    assert [stamp and stamp.last_modified for stamp in stamps] == [
        None,
        datetime.fromtimestamp(clock.now, UTC).isoformat(timespec="seconds"),
    ]


async def test_a_composition_is_read_by_its_name(client: Client) -> None:
    shown = await read_json(client, "prompt://deal_review")

    assert shown["pattern"] == "expert_panel"
    assert [each["name"] for each in shown["params"]] == ["deal", "decision_date", "documents"]
    assert shown["tasks"]


@pytest.mark.requirement("S253")
async def test_the_quick_reference_has_its_nine_headings(client: Client) -> None:
    card = await read_text(client, "guide://quick-reference")

    headings = [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")]
    assert headings == NINE_HEADINGS


@pytest.mark.requirement("S253")
async def test_each_heading_of_the_quick_reference_says_its_rule(client: Client) -> None:
    card = await read_text(client, "guide://quick-reference")

    for heading, rule in zip(NINE_HEADINGS, NINE_RULES, strict=True):
        assert rule in card.partition(f"## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.requirement("S109")
async def test_the_card_asks_of_each_piece_what_the_form_of_a_task_has_fields_for(
    client: Client,
) -> None:
    card = await read_text(client, "guide://quick-reference")
    [form] = [t for t in (await client.list_tools()).tools if t.name == "create_workflow"]

    fields = form.input_schema["properties"]["tasks"]["items"]["properties"]
    assert {"depends_on", "args", "takes", "done"} <= set(fields)
    for question in (
        "can it run in parallel (else `depends_on`)",
        "what is the least context it needs (`args`, and `takes`",
        "what does done look like (`done`)",
    ):
        assert question in card


@pytest.mark.requirement("S67")
async def test_context_comes_first_among_the_causes_of_failure(client: Client) -> None:
    card = await read_text(client, "guide://quick-reference")

    causes = card.split("## ")[0]
    assert causes.index("context") < causes.index("pattern") < causes.index("monitoring")


@pytest.mark.requirement("A20", "S187")
async def test_the_vocabulary_shows_every_state_in_the_words_of_each_view(client: Client) -> None:
    vocabulary = await read_text(client, "guide://vocabulary")

    for status, words in WORDS.items():
        row = f"| {words.icon} | {status} | {words.ledger} | {words.item} | {words.stage} |"
        assert row in vocabulary.splitlines()


async def test_statistics_count_the_whole_ledger(client: Client, engine: Engine) -> None:
    one = workflow(engine, "a", "b")
    start(engine, one, "a")
    fail(engine, one, "a", error_code="crash")
    other = workflow(engine, "a", task("b", "a"))
    start(engine, other, "a")

    assert await read_json(client, "ledger://stats") == {
        "workflows": {"open": 2},
        "patterns": {"fan_out": 1, "pipeline": 1},
        "tasks": {"failed": 1, "in_progress": 1, "pending": 2},
        "attempts": {"failed": 1, "in_progress": 1},
        "failures": {"crash": 1},
        "no_model_mends": {"count": 0, "share": 0.0},
        "items": {
            "status": {"blocked": 1, "failed": 1, "in_progress": 1, "todo": 1},
            "project": {"default": 4},
            "skill": {},
        },
    }


async def test_statistics_tell_the_share_of_failures_that_no_other_model_would_mend(
    client: Client, engine: Engine
) -> None:
    name = workflow(engine, *"abcdef")
    codes = ("step_repetition", "verification_missing", "derailed", "timeout")
    for task_id, code in zip("abcd", codes, strict=True):
        start(engine, name, task_id)
        fail(engine, name, task_id, error_code=code)
        engine.resolve(Resolution(workflow_id=name, decision="retry_failed", reason="again"))

    stats = await read_json(client, "ledger://stats")

    assert stats["failures"] == dict.fromkeys(sorted(codes), 1)
    assert stats["no_model_mends"] == {"count": 2, "share": 0.5}


async def test_the_index_tells_every_template_even_a_broken_one(
    client: Client, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "torn.prompty").write_text("---\nname: torn\n", encoding="utf-8")
    engine.templates = Templates((tmp_path,))

    index = await read_json(client, "prompt://index")

    told = {each["name"]: each for each in index["templates"]}
    assert list(told) == engine.templates.names()
    assert told["research"]["required"] == ["topic", "questions"]
    assert "torn.prompty line" in told["torn"]["broken"]


async def test_a_template_that_shadows_a_shipped_one_says_so(
    client: Client, engine: Engine, tmp_path: Path
) -> None:
    own = (shipped("prompts") / "summarise.prompty").read_text(encoding="utf-8")
    (tmp_path / "summarise.prompty").write_text(own, encoding="utf-8")
    engine.templates = Templates((tmp_path,))

    index = await read_json(client, "prompt://index")
    shown = await read_json(client, "prompt://summarise")

    marked = [each["name"] for each in index["templates"] if each.get("shadows")]
    assert (marked, shown["shadows"]) == (["summarise"], True)


async def test_a_fault_of_ours_keeps_its_text_to_the_log(
    client: Client, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    workflow_id = workflow(engine, "a")
    with engine.store.transaction() as tx:
        tx.rows("DELETE FROM texts")
    uri = f"ledger://workflows/{workflow_id}/tasks/a/spec"

    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)

    assert caught.value.error.code == INTERNAL_ERROR
    assert caught.value.error.message == f"Error reading resource {uri}"
    assert "IndexError" in caplog.text
