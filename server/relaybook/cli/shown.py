"""What a person is shown of an answer: less of it, in words. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from relaybook.core.task.status import FLAGS
from relaybook.model import WORDS, Status

#: Members of a workflow that its first lines say.
_HEAD = ("workflow_id", "name", "status", "progress", "type", "elapsed_seconds", "cursor")


def prompt_alone(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The prompt and nothing else, so that it can go to a worker as it is."""
    return {"prompt": answer["prompt"]}


def text_alone(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The text of a resource, and how to go on."""
    return {"text": answer["text"]} | _more(answer)


def listed(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Workflows, a row each."""
    rows = [_workflow(each) for each in answer["workflows"]]
    return {"summary": answer["summary"], "workflows": rows} | _more(answer)


def _workflow(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "id": row["workflow_id"],
        "name": row["name"],
        "type": row["type"],
        "status": row["status"],
        "progress": row["progress"].removesuffix(" complete"),
        "elapsed": duration(row["elapsed_seconds"]),
        "attention": _attention(row),
    }


def shown_workflow(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """One workflow: a line on the whole, what needs somebody, its tasks with their icons."""
    shown = {name: value for name, value in answer.items() if name not in (*_HEAD, *FLAGS)}
    if "tasks" in answer:
        shown["tasks"] = [_task(row) for row in answer["tasks"]]
    head = f"{answer['workflow_id']} {answer['name']!r}: {answer['status']}, {answer['progress']}"
    told = {
        "summary": head,
        "type": answer["type"],
        "elapsed": duration(answer["elapsed_seconds"]),
        "attention": _attention(answer),
    }
    return told | shown | _more(answer)


def _task(row: Mapping[str, Any]) -> dict[str, Any]:
    icon = WORDS[Status(row["status"])].icon
    rest = {name: value for name, value in row.items() if name not in ("status", "has_result")}
    return {"status": f"{icon} {row['status']}"} | rest


def created(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The plan that was registered; of a plan by stages a line for each."""
    return {**answer, "summary": answer["summary"].splitlines()}


def stage_shown(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stage that ended or runs, its gate, the hooks due, and the prompt as it is."""
    current = dict(answer.get("current", {}))
    gates: dict[str, Mapping[str, Any]] = {"gate": answer, "current gate": dict(current)}
    told = {name: each["gate"]["verdict"] for name, each in gates.items() if "gate" in each}
    items = [row for each in gates.values() for row in each.get("gate", {}).get("items", ())]
    prompt = current.pop("prompt", "")
    rest = {name: value for name, value in answer.items() if name not in ("gate", "hooks")}
    hooks = [{name: hook.get(name) for name in _HOOK} for hook in answer.get("hooks", ())]
    current.pop("gate", None)
    return rest | {"current": current, **told, "items": items, "hooks": hooks, "prompt": prompt}


#: What is shown of a hook; `render` has its prompt.
_HOOK = ("skill", "label", "description")


def aggregated(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The digest, and what the synthesis must say as a list."""
    brief = answer.get("brief")
    if not brief:
        return dict(answer) | _more(answer)
    must = "\n".join(f"- {line}" for line in brief.get("must_mention", ()))
    rest = {name: value for name, value in answer.items() if name not in ("brief", "seq")}
    return rest | {"text": f"\n{brief.get('rule', '')}\n{must}"} | _more(answer)


def items_shown(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Work items, a row each."""
    rows = [
        {
            "slug": item["slug"],
            "status": f"{_ICONS[item['status']]} {item['status']}",
            "goal": item["goal"],
            "skill": item.get("skill"),
            "project": item["project"],
        }
        for item in answer["items"]
    ]
    return {"summary": f"{len(rows)} work item(s)", "items": rows} | _next(answer)


def item_shown(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """One work item, its times as times."""
    times = {name: timestamp(at) for name, at in answer.items() if name.endswith("_at")}
    status = answer["status"]
    return {**answer, **times, "status": f"{_ICONS[status]} {status}"}


def events_shown(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Events, a row each."""
    rows = [
        {
            "at": timestamp(event["at"]),
            "slug": event["slug"],
            "type": event["type"],
            "author": event["author"],
            "payload": event["payload"],
        }
        for event in answer["events"]
    ]
    return {"summary": f"{len(rows)} event(s)", "events": rows} | _next(answer)


#: The first state that a word of the work items stands for lends its icon.
_ICONS = {words.item: words.icon for words in reversed(tuple(WORDS.values()))}


def _next(answer: Mapping[str, Any]) -> dict[str, str]:
    return {"next": answer["next"]} if "next" in answer else {}


def timestamp(at: float) -> str:
    """Epoch seconds as a time in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def duration(seconds: float) -> str:
    """A time span in its two largest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    told = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(told[:2]) or "0 s"


def _attention(row: Mapping[str, Any]) -> str:
    return ", ".join(flag.replace("_", " ") for flag in FLAGS if row.get(flag))


def _more(answer: Mapping[str, Any]) -> dict[str, str]:
    """How to go on where the answer is a page of more."""
    return {"next": f"--cursor {answer['cursor']} for more"} if "cursor" in answer else {}
