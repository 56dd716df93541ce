"""The table of what can be read, as MCP resources and resource templates."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcp.server.caching import apply_cache_hint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import (
    ResourceError,
    ResourceNotFoundError,
    UnexpectedResourceError,
)
from mcp_types import (
    InputRequiredResult,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
)

from relaybook.engine import Engine
from relaybook.errors import Forbidden, InvalidArguments, NotFound, Refusal
from relaybook.surface.done import done
from relaybook.surface.kinds import kind_of
from relaybook.surface.rim import Server

if TYPE_CHECKING:
    from relaybook.engine.readables.readable import Readable

LEDGER = "ledger://"


class ResourceServer(Server):
    """A server that serves what `role` may read, besides any resource added to it."""

    def __init__(self, engine: Engine, role: str, **options: Any) -> None:
        super().__init__(**options)
        self._engine = engine
        self._role = role
        self._hint_reads()

    async def list_resources(self) -> list[Resource]:
        added = await super().list_resources()
        newest = await done(self._engine, self._engine.newest_change)
        shown = [self._introduced(each, newest) for each in self._readables(templates=False)]
        return [*shown, *added]

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        added = await super().list_resource_templates()
        return [*map(_template, self._readables(templates=True)), *added]

    def _introduced(self, each: "Readable", newest: float | None) -> Resource:
        """What a client is told of a resource before it reads it: how large, how old, if known."""
        from relaybook.engine.readables.readable import MARKDOWN

        told = _resource(each)
        if each.uri.startswith(LEDGER):
            if told.annotations is not None and newest is not None:
                told.annotations.last_modified = _when(newest)
        elif each.mime_type == MARKDOWN:  # the guides: texts that never change
            told.size = len(self._engine.read_text(each.uri, role=self._role).text.encode())
        return told

    def _readables(self, *, templates: bool) -> list["Readable"]:
        from relaybook.engine.readables.table import readables

        return [each for each in readables(self._role) if bool(each.variables) == templates]

    async def read_resource(
        self, uri: Any, context: Context[None, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        from relaybook.engine.readables.table import matching, unknown

        if matching(str(uri)) is not None:
            return [await self._contents(str(uri))]
        try:
            return await super().read_resource(uri, context)
        except ResourceNotFoundError as error:
            refusal = unknown(str(uri), self._role)
            raise ResourceNotFoundError(f"{refusal.code}: {refusal}") from error

    async def _contents(self, uri: str) -> ReadResourceContents:
        try:
            found = await done(self._engine, self._engine.read_text, uri, role=self._role)
        except (NotFound, Forbidden, InvalidArguments) as refusal:
            raise ResourceNotFoundError(f"{refusal.code}: {refusal}") from refusal
        except Refusal as refusal:
            raise ResourceError(f"{refusal.code}: {refusal}") from refusal
        except Exception as error:  # a bug: its text stays here, in the log
            raise UnexpectedResourceError(f"Error reading resource {uri}") from error
        return ReadResourceContents(content=found.text, mime_type=found.mime_type)

    def _hint_reads(self) -> None:
        """Say how long each resource keeps; the SDK's own hints know only the method."""
        low = self._lowlevel_server
        entry = low.get_request_handler("resources/read")
        assert entry is not None
        read_plainly = entry.handler

        async def read(
            ctx: ServerRequestContext[Any, Any], params: ReadResourceRequestParams
        ) -> Any:
            result = await read_plainly(ctx, params)
            if isinstance(result, ReadResourceResult):
                return apply_cache_hint(result, kind_of(str(params.uri)).cache)
            return result

        low.add_request_handler("resources/read", ReadResourceRequestParams, read)


def _when(epoch_seconds: float) -> str:
    """The moment in ISO 8601, in UTC."""
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat(timespec="seconds")


def _resource(each: "Readable") -> Resource:
    return Resource(
        uri=each.uri,
        name=each.name,
        title=each.title,
        description=each.description,
        mime_type=each.mime_type,
        annotations=kind_of(each.uri).annotations,
    )


def _template(each: "Readable") -> ResourceTemplate:
    return ResourceTemplate(
        uri_template=each.uri,
        name=each.name,
        title=each.title,
        description=each.description,
        mime_type=each.mime_type,
        annotations=kind_of(each.uri).annotations,
    )
