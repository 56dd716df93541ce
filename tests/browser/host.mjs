// A host for MCP Apps: it reads the board from the server, shows it in a frame without rights, and
// passes its calls on. The test reads `window.host`.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

const BOARD = "ui://relaybook/board";
const options = JSON.parse(document.querySelector("meta[name=options]").content);

const client = new Client({ name: "test-host", version: "1" }, { versionNegotiation: { mode: "auto" } });
await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", location.href)));

const { tools } = await client.listTools();
const [board] = (await client.readResource({ uri: BOARD })).contents;
const host = (window.host = { calls: [], sizes: [], modes: [], mimeType: board.mimeType });
host.showsBoard = tools.filter((tool) => tool._meta?.ui?.resourceUri === BOARD).map((tool) => tool.name);

const frame = document.querySelector("iframe");
const bridge = new AppBridge(client, { name: "test-host", version: "1" }, options.capabilities, {
  hostContext: {
    theme: "dark",
    displayMode: "inline",
    availableDisplayModes: ["inline", "fullscreen"],
    styles: { variables: { "--color-background-primary": "rgb(1, 2, 3)" } },
    toolInfo: { tool: tools.find((tool) => tool.name === options.tool) },
  },
});
bridge.onrequestdisplaymode = async ({ mode }) => (host.modes.push(mode), { mode });
bridge.addEventListener("sizechange", (size) => host.sizes.push(size));
window.addEventListener("message", ({ data }) => data?.method === "tools/call" && host.calls.push(data.params.name));
bridge.addEventListener("initialized", async () => {
  await bridge.sendToolInput({ arguments: options.arguments });
  const result = await client.callTool({ name: options.tool, arguments: options.arguments });
  await bridge.sendToolResult(result);
  host.started = true;
});
host.lighten = () => bridge.setHostContext({ theme: "light" });
await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
frame.srcdoc = board.text;
