// What the views ask of the ledger. Everything comes from the server's tools and resources.

let wire = null;

const readText = (uri) => wire.read(uri);
const readJson = async (uri) => JSON.parse(await wire.read(uri));

const workflowUri = (id, part) => ["ledger://workflows", encodeURIComponent(id), part].filter(Boolean).join("/");
const taskUri = (id, task, part) =>
  workflowUri(id, ["tasks", encodeURIComponent(task), part].filter(Boolean).join("/"));
const itemUri = (slug) => `ledger://items/${encodeURIComponent(slug)}`;

const decide = (workflow, decision, more = {}) => wire.call("resolve", { workflow_id: workflow, decision, ...more });
