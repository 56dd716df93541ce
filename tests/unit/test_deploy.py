"""What deploys relaybook names only commands, options, pages, variables and files that exist.

Its form is held against the schemas of Kubernetes and Compose by `make check-deploy`.
"""

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.docs import ROOT
from typer.main import get_command

from relaybook.cli import app
from relaybook.surface.http.options import HttpOptions

CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8")
COMPOSE: Any = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
OBJECTS: list[Any] = list(
    yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8"))
)
[DEPLOYMENT] = [each for each in OBJECTS if each["kind"] == "Deployment"]
POD = DEPLOYMENT["spec"]["template"]["spec"]
CONTAINERS = [*POD["initContainers"], *POD["containers"]]


def image_command() -> list[str]:
    [found] = re.findall(r"(?m)^CMD (\[.*\])$", CONTAINERFILE)
    return yaml.safe_load(found)


def written_commands() -> Iterator[list[str]]:
    """The command lines of documents and comments, as a shell would split them."""
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    texts = "".join(path.read_text(encoding="utf-8") for path in documents)
    shells = re.findall(r"(?s)```(?:bash|sh)\n(.*?)```", texts)
    comments = re.findall(r"exec server (.*)", (ROOT / "compose.yaml").read_text(encoding="utf-8"))
    lines = "\n".join([*shells, *comments]).replace("\\\n", " ")
    for line in re.findall(r"(?m)^relaybook (.*)$", lines):
        words = shlex.split(line, comments=True)
        yield list(itertools.takewhile(lambda word: word not in ("<", ">", "|"), words))


def refuse_unknown(arguments: list[str]) -> None:
    """Parse a command line as relaybook does, and run nothing; fails if it would be refused."""
    command: Any = get_command(app)
    name = "relaybook"
    while hasattr(command, "get_command"):
        name, *arguments = arguments
        command = command.get_command(None, name)
    command.make_context(name, arguments)


@pytest.mark.parametrize(
    "arguments",
    [image_command(), *(each["args"] for each in CONTAINERS), *written_commands()],
    ids=" ".join,
)
def test_each_command_is_one_that_relaybook_takes(arguments: list[str]) -> None:
    refuse_unknown(arguments)


def test_a_command_that_relaybook_does_not_take_would_be_seen() -> None:
    with pytest.raises(Exception, match="colour"):
        refuse_unknown([*image_command(), "--colour=red"])


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_each_probe_asks_a_page_that_strangers_may_see_on_the_port_served(probe: str) -> None:
    from relaybook.surface.http.guard import UNGUARDED

    [server] = POD["containers"]
    asked = server[probe]["httpGet"]

    assert asked["path"] in UNGUARDED
    assert asked["port"] in {each["name"] for each in server["ports"]}
    assert f"--port={server['ports'][0]['containerPort']}" in server["args"]


def test_only_readiness_depends_on_the_database() -> None:
    [server] = POD["containers"]

    assert server["livenessProbe"]["httpGet"]["path"] == "/health"
    assert server["readinessProbe"]["httpGet"]["path"] == "/ready"


def named_variables() -> Iterator[str]:
    yield from re.findall(r"(?m)^ENV (\w+)=", CONTAINERFILE)
    yield from COMPOSE["services"]["server"]["environment"]
    for container in CONTAINERS:
        yield from (each["name"] for each in container["env"])


def test_each_variable_is_one_that_relaybook_reads() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "server").rglob("*.py"))
    known = set(
        re.findall(
            r'environ?(?:\.get)?\W+"(RELAYBOOK_\w+)"|env\.get\("(RELAYBOOK_\w+)"', "".join(sources)
        )
    )

    assert set(named_variables()) <= {name for pair in known for name in pair}


def test_the_image_is_made_of_files_that_are_there() -> None:
    copied = re.findall(r"(?m)^COPY (?!--from)(.*)$", CONTAINERFILE)
    names = {name for line in copied for name in line.split()[:-1]}
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()

    assert all((ROOT / name).exists() for name in names)
    assert names <= {each.removeprefix("!") for each in kept}


def test_the_image_has_the_extras_that_it_needs() -> None:
    [extras] = re.findall(r"'\.\[(.*)\]'", CONTAINERFILE)
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert all(re.search(rf"(?m)^{name} = \[", declared) for name in extras.split(","))


def test_what_selects_the_pods_is_on_the_pods() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    selectors = [each["spec"]["selector"] for each in OBJECTS]

    assert all(each.get("matchLabels", each) == labels for each in selectors)


def test_calls_in_progress_may_end_before_the_pod_does() -> None:
    [server] = POD["containers"]
    [grace] = [each for each in server["args"] if each.startswith("--grace-seconds=")]
    _, seconds = server["lifecycle"]["preStop"]["exec"]["command"]

    needed = int(seconds) + int(grace.partition("=")[2])
    assert POD["terminationGracePeriodSeconds"] > needed


def test_calls_in_progress_may_end_before_the_composed_server_does() -> None:
    given = COMPOSE["services"]["server"]["stop_grace_period"]

    assert int(given.removesuffix("s")) > HttpOptions().grace_seconds


def test_a_server_that_may_write_nowhere_else_has_a_place_for_temporary_files() -> None:
    [server] = POD["containers"]
    [mount] = [each for each in server["volumeMounts"] if each["mountPath"] == "/tmp"]

    assert server["securityContext"]["readOnlyRootFilesystem"]
    assert {"name": mount["name"], "emptyDir": {}} in POD["volumes"]


def test_no_secret_is_written_down() -> None:
    store = COMPOSE["services"]["server"]["environment"]["RELAYBOOK_STORE"]

    assert ":${POSTGRES_PASSWORD:?" in store
    assert all("value" not in each for container in CONTAINERS for each in container["env"])


def test_the_composed_server_waits_for_its_database() -> None:
    services = COMPOSE["services"]

    assert services["server"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in services["database"]
    assert Path(ROOT / services["server"]["build"]["dockerfile"]).exists()
