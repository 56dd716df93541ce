-- Sends tool calls of MCP 2026-07-28: wrk … -s load.lua -- OPERATION NAME…
-- NAMEs are workflows, of which each call takes the next; for `update` they are claims.
-- read: the state of a workflow. update: a sign of life. claim: claims, each given back.
local head = {
  ["Content-Type"] = "application/json",
  ["Accept"] = "application/json, text/event-stream",
  ["MCP-Protocol-Version"] = "2026-07-28",
  ["Mcp-Method"] = "tools/call",
}
local meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
  .. '"io.modelcontextprotocol/clientCapabilities":{}}'
local claims = {}
local names, at = {}, 0
local threads = {}

refused, refusal = 0, ""

function setup(thread)
  table.insert(threads, thread)
end

function init(said)
  operation = said[1]
  for place = 2, #said do names[place - 1] = said[place] end
end

local function call(tool, arguments)
  head["Mcp-Name"] = tool
  local body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"'
    .. tool .. '","arguments":{' .. arguments .. '},' .. meta .. '}}'
  return wrk.format("POST", "/mcp", head, body)
end

function request()
  if #claims > 0 then
    return call("update_task", '"claim":"' .. table.remove(claims) .. '","status":"pending"')
  end
  at = at % #names + 1
  if operation == "read" then
    return call("get_workflow", '"workflow_id":"' .. names[at] .. '"')
  elseif operation == "update" then
    return call("update_task", '"claim":"' .. names[at] .. '","status":"in_progress"')
  end
  return call("claim_task", '"workflow_id":"' .. names[at] .. '"')
end

-- A tool's refusal is answered with status 200 as well; so is a claim that found nothing.
function response(status, _, body)
  local ok = status == 200 and body:find('"isError":false', 1, true)
    and not body:find('"claimed":false', 1, true)
  if not ok then
    refused = refused + 1
    refusal = status .. " " .. body:sub(1, 200):gsub("%s+", " ")
  elseif operation == "claim" then
    local claim = body:match('"claimed":true') and body:match('"claim":"(%x+)"')
    if claim then table.insert(claims, claim) end
  end
end

function done(summary, latency, _)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.timeout
  local example = ""
  for _, thread in ipairs(threads) do
    failed = failed + thread:get("refused")
    example = thread:get("refusal")
  end
  io.write(string.format("figures %f %f %f %d %s\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, failed, example))
end
