-- Sends tool calls of MCP 2026-07-28: wrk … -s load.lua -- OPERATION WORKFLOW CLAIM
local head = {
  ["Content-Type"] = "application/json",
  ["Accept"] = "application/json, text/event-stream",
  ["MCP-Protocol-Version"] = "2026-07-28",
  ["Mcp-Method"] = "tools/call",
}
local meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
  .. '"io.modelcontextprotocol/clientCapabilities":{}}'
local claims = {}

local function call(tool, arguments)
  head["Mcp-Name"] = tool
  local body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"'
    .. tool .. '","arguments":{' .. arguments .. '},' .. meta .. '}}'
  return wrk.format("POST", "/mcp", head, body)
end

function init(said)
  operation, workflow, claim = said[1], said[2], said[3]
end

-- read: the state of a workflow. update: a sign of life. claim: claims, each given back.
function request()
  if operation == "read" then
    return call("get_workflow", '"workflow_id":"' .. workflow .. '"')
  elseif operation == "update" then
    return call("update_task", '"claim":"' .. claim .. '","status":"in_progress"')
  elseif #claims > 0 then
    return call("update_task", '"claim":"' .. table.remove(claims) .. '","status":"pending"')
  end
  return call("claim_task", '"workflow_id":"' .. workflow .. '"')
end

function response(status, _, body)
  if operation == "claim" then
    local found = body:match('"claim":"(%x+)"')
    if found and body:find('"claimed":true', 1, true) then table.insert(claims, found) end
  end
end

function done(summary, latency, _)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.status
    + summary.errors.timeout
  io.write(string.format("figures %f %f %f %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, failed))
end
