-- AWS's redirect: each part of the target may hold #{protocol} #{host} #{port} #{path} #{query} of the request.
function envoy_on_request(handle)
  local template = handle:filterContext()
  local headers = handle:headers()
  local authority = headers:get(":authority") or ""
  local path, query = (headers:get(":path") or "/"):match("^/?([^?]*)%??(.*)$")
  local request = {
    protocol = template:get("listener_protocol"),
    port = template:get("listener_port"),
    host = authority:match("^(%[.-%])") or authority:match("^([^:]*)"),
    path = path,
    query = query,
  }
  local function fill(part)
    return (template:get(part):gsub("#{(%w+)}", request))
  end
  local location = fill("protocol"):lower() .. "://" .. fill("host") .. ":" .. fill("port") .. fill("path")
  local wanted_query = fill("query")
  if wanted_query ~= "" then
    location = location .. "?" .. wanted_query
  end
  handle:respond({
    [":status"] = template:get("status"),
    ["location"] = location,
    ["server"] = "awselb/2.0",
    ["content-type"] = "text/html",
  }, template:get("body"))
end
