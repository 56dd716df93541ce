// A whole workflow by the official TypeScript clients: node workflow.mjs ERA KIND WHERE
//   ERA   "1": @modelcontextprotocol/sdk; "legacy", "modern": @modelcontextprotocol/client
//   KIND  "stdio" and the command, or "http" and the URL
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [era, kind, where] = process.argv.slice(2);
// This file lies apart from the modules; they are found from the working folder.
const require = createRequire(`${process.cwd()}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));

async function opened() {
  const me = { name: "scripted", version: "1.0.0" };
  if (era === "1") {
    const { Client } = await load("@modelcontextprotocol/sdk/client/index.js");
    const stdio = await load("@modelcontextprotocol/sdk/client/stdio.js");
    const http = await load("@modelcontextprotocol/sdk/client/streamableHttp.js");
    return [new Client(me), stdio.StdioClientTransport, http.StreamableHTTPClientTransport];
  }
  const { Client, StreamableHTTPClientTransport } = await load("@modelcontextprotocol/client");
  const { StdioClientTransport } = await load("@modelcontextprotocol/client/stdio");
  const mode = era === "modern" ? { pin: "2026-07-28" } : "legacy";
  const client = new Client(me, { versionNegotiation: { mode } });
  return [client, StdioClientTransport, StreamableHTTPClientTransport];
}

const [client, Stdio, Http] = await opened();
await client.connect(
  kind === "stdio"
    ? new Stdio({ command: where, args: ["serve", "--role", "all"], env: { ...process.env } })
    : new Http(new URL(where)),
);

const told = async (name, args) => {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, JSON.stringify(result.content));
  return result.structuredContent;
};

const tools = (await client.listTools()).tools.map((each) => each.name);
assert.ok(tools.includes("create_workflow"));

const tasks = [
  { id: "draft", label: "Draft the text", done: ["There is a text."] },
  { id: "review", label: "Review it", done: ["Faults are named."], depends_on: ["draft"] },
];
const created = await told("create_workflow", { pattern: "pipeline", name: "scripted", tasks });
const workflow_id = created.workflow_id;

for (const task_id of ["draft", "review"]) {
  const started = await told("update_task", { workflow_id, task_id, status: "in_progress" });
  assert.ok(started.prompt.length > 0);
  const envelope = { status: "ok", summary: `${task_id} is done`, data: { found: 1 } };
  const output = `<result>${JSON.stringify(envelope)}</result>`;
  await told("update_task", { claim: started.claim, status: "completed", output, accept_raw: true });
}

const digest = await told("aggregate", { workflow_id });
assert.equal(digest.status, "completed");
const uri = `ledger://workflows/${workflow_id}`;
const read = await client.readResource({ uri });
assert.equal(JSON.parse(read.contents[0].text).status, "completed");
const ref = { type: "ref/resource", uri: "ledger://workflows/{id}/tasks/{task_id}" };
const completed = await client.complete({
  ref,
  argument: { name: "task_id", value: "dra" },
  context: { arguments: { id: workflow_id } },
});
assert.deepEqual(completed.completion.values, ["draft"]);
const prompt = await client.getPrompt({ name: "recover", arguments: { workflow_id } });
assert.ok(prompt.messages.length > 0);
await client.close();
console.log(client.getNegotiatedProtocolVersion?.() ?? "done");
