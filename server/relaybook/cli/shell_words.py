"""The calls that refusals and answers advise, said as commands. Pure."""

import re
from collections.abc import Mapping

#: What stands for a call; the command of the same name does for the tools left out.
COMMANDS: Mapping[str, str] = {
    "get_workflow without an id": "list",
    "create_workflow": "create",
    "change_plan": "change",
    "claim_task": "work",
    "update_task": "update",
    "render_prompt": "render",
    "advance_stage": "advance",
    "get_workflow": "status",
    "find_skills": "contracts find",
}
#: Tools whose names are words of every day: only after "call", or before arguments, are they meant.
PLAIN = ("plan", "read", "record", "resolve", "aggregate", "cleanup")
#: The options that are not called as the argument is; none for what a command does not do.
OPTIONS: Mapping[str, str] = {
    "workflow_id": "id",
    "running_sessions": "running",
    "output": "result",
    "tasks": "subtasks",
    "answers": "answer",
    "wait_seconds": "",
}

_ARGUMENTS = r"(?:\((?P<arguments>[^()]*)\))?"
_CALL = re.compile(
    rf"\b(?:(?:call )?(?P<tool>{'|'.join(COMMANDS)})\b{_ARGUMENTS}"
    rf"|call (?P<called>{'|'.join(PLAIN)})\b{_ARGUMENTS.replace('arguments', 'given')}"
    rf"|(?P<bare>{'|'.join(PLAIN)})\((?P<said>[^()]*)\))"
)
_ARGUMENT = re.compile(
    r"(?<![-\w])(?P<name>[a-z_]+)=(?P<value>'[^']*'( or '[^']*')*|<[^>]*>|\[[^]]*\]|[^\s,;)]+)"
)


def in_shell(advice: str) -> str:
    """`advice` with each call as a command, and each argument as an option."""
    return _ARGUMENT.sub(_option, _CALL.sub(_command, advice))


def _command(found: re.Match[str]) -> str:
    parts = found.groupdict()
    tool = parts["tool"] or parts["called"] or parts["bare"]
    arguments = parts["arguments"] or parts["given"] or parts["said"] or ""
    options = [_option(each) for each in _ARGUMENT.finditer(arguments)]
    return " ".join(["relaybook", COMMANDS.get(tool, tool), *filter(None, options)])


def _option(found: re.Match[str]) -> str:
    name = OPTIONS.get(found["name"], found["name"]).replace("_", "-")
    value = found["value"].replace("'", "")
    if not name:
        return ""
    return f"--{name}" if value == "true" else f"--{name} {value}"
