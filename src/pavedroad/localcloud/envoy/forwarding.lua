-- What a balancer of AWS does with a request that it forwards, and with the answer: the trace header, headers
-- and hosts as its attributes say, what transforms made of host and URL, and cookies for clients that stay.
local REWRITES = "pavedroad.rewrites"
local NEVER = 2147483647
local TARGET, GROUP = "x-pavedroad-target", "x-pavedroad-group"

math.randomseed((os.time() + tonumber(tostring({}):match("0x(%x+)"):sub(-7), 16)) % 2147483647)

local function random_hex(digits)
  local parts = {}
  for _ = 1, digits / 4 do
    parts[#parts + 1] = string.format("%04x", math.random(0, 65535))
  end
  return table.concat(parts)
end

-- XTEA, with the cookie's first 16 digits to begin with: what a cookie holds is nobody's to read or make up.
local function words(hex)
  local found = {}
  for word in hex:gmatch("%x%x%x%x%x%x%x%x") do
    found[#found + 1] = bit.tobit(tonumber(word, 16))
  end
  return found
end

local function mixed(v, sum, k)
  return bit.bxor(bit.tobit(bit.bxor(bit.lshift(v, 4), bit.rshift(v, 5)) + v), bit.tobit(sum + k))
end

local function encipher(a, b, key)
  local sum = 0
  for _ = 1, 32 do
    a = bit.tobit(a + mixed(b, sum, key[bit.band(sum, 3) + 1]))
    sum = bit.tobit(sum + 0x9E3779B9)
    b = bit.tobit(b + mixed(a, sum, key[bit.band(bit.rshift(sum, 11), 3) + 1]))
  end
  return a, b
end

local function decipher(a, b, key)
  local sum = bit.tobit(0x9E3779B9 * 32)
  for _ = 1, 32 do
    b = bit.tobit(b - mixed(a, sum, key[bit.band(bit.rshift(sum, 11), 3) + 1]))
    sum = bit.tobit(sum - 0x9E3779B9)
    a = bit.tobit(a - mixed(b, sum, key[bit.band(sum, 3) + 1]))
  end
  return a, b
end

-- A cookie's contents: address, port, the time at which it is stale, the target group's first word.
local function sealed(target, expires, group, key)
  local a, b, c, d, port = target:match("^(%d+)%.(%d+)%.(%d+)%.(%d+):(%d+)$")
  if not a then
    return nil
  end
  local plain = words(string.format("%02x%02x%02x%02x%08x%08x%s", a, b, c, d, port, expires, group:sub(1, 8)))
  local seed = random_hex(16)
  local x, y = unpack(words(seed))
  local out = { seed }
  for i = 1, 3, 2 do
    x, y = encipher(bit.bxor(plain[i], x), bit.bxor(plain[i + 1], y), key)
    out[#out + 1] = bit.tohex(x) .. bit.tohex(y)
  end
  return table.concat(out)
end

local function opened(cookie, key)
  local cipher = words(cookie)
  if #cookie ~= 48 or #cipher ~= 6 then
    return nil
  end
  local plain = {}
  for i = 3, 5, 2 do
    local a, b = decipher(cipher[i], cipher[i + 1], key)
    plain[#plain + 1] = bit.bxor(a, cipher[i - 2])
    plain[#plain + 1] = bit.bxor(b, cipher[i - 1])
  end
  local ip, port = plain[1], plain[2]
  if port < 1 or port > 65535 then
    return nil
  end
  local byte = function(shift) return bit.band(bit.rshift(ip, shift), 255) end
  local target = string.format("%d.%d.%d.%d:%d", byte(24), byte(16), byte(8), byte(0), port)
  return target, plain[3], bit.tohex(plain[4])
end

local function cookie_of(header, name)
  for pair in (header or ""):gmatch("[^;,]+") do
    local found, value = pair:match("^%s*([^=%s]+)=(.-)%s*$")
    if found == name then
      return value
    end
  end
  return nil
end

local function group_by_word(groups, word)
  for token, group in pairs(groups) do
    if token:sub(1, 8) == word then
      return group
    end
  end
  return nil
end

local function stay(handle, headers, context)
  local groups = context:get("groups")
  local header = headers:get("cookie")
  if not groups or not header then
    return
  end
  local kept = {}
  for _, name in ipairs({ "AWSALB", "AWSALBCORS", "AWSALBAPP-0", "AWSELB" }) do
    local cookie = cookie_of(header, name)
    local target, expires, word = nil, nil, nil
    if cookie then
      target, expires, word = opened(cookie, words(context:get("key")))
    end
    local group = target and expires > os.time() and group_by_word(groups, word)
    if group then
      local by_application = group.kind == "app_cookie"
      local meant = group.classic == (name == "AWSELB")
      if not group.classic then
        meant = meant and by_application == (name == "AWSALBAPP-0")
      end
      if meant and (not by_application or cookie_of(header, group.cookie)) then
        handle:setUpstreamOverrideHost(target, false)
        kept.stays = "1"
        break
      end
    end
  end
  handle:streamInfo():dynamicMetadata():set("pavedroad.stay", "stays", kept.stays or "")
end

local function trace(headers)
  local new = string.format("1-%08x-%s", os.time(), random_hex(24))
  local given = headers:get("x-amzn-trace-id")
  if not given or given == "" then
    headers:replace("x-amzn-trace-id", "Root=" .. new)
  elseif given:find("Root=", 1, true) then
    headers:replace("x-amzn-trace-id", "Self=" .. new .. ";" .. given:gsub("Self=[^;]*;?", ""))
  else
    headers:replace("x-amzn-trace-id", "Root=" .. new .. ";" .. given)
  end
end

local function drop_invalid(headers)
  local invalid = {}
  for name in pairs(headers) do
    if not name:match("^:?[%w%-]+$") then
      invalid[#invalid + 1] = name
    end
  end
  for _, name in ipairs(invalid) do
    headers:remove(name)
  end
end

function envoy_on_request(handle)
  local context, headers = handle:filterContext(), handle:headers()
  if context:get("drop_invalid_headers") then
    drop_invalid(headers)
  end
  trace(headers)
  local port = context:get("host_port")
  local host = headers:get(":authority") or ""
  if port and host ~= "" and not host:match(":%d+$") then
    headers:replace(":authority", host .. ":" .. port)
  end
  if context:get("transforms") then
    local rewritten = handle:streamInfo():dynamicMetadata():get(REWRITES) or {}
    if rewritten.host then
      headers:replace(":authority", rewritten.host)
    end
    if rewritten.url then
      headers:replace(":path", rewritten.url:sub(1, 1) == "/" and rewritten.url or "/" .. rewritten.url)
    end
  end
  stay(handle, headers, context)
end

-- To the end: headers cannot be changed while a look at them has not ended.
local function sets(headers, name)
  local found = false
  for key, value in pairs(headers) do
    found = found or (key == "set-cookie" and value:sub(1, #name + 1) == name .. "=")
  end
  return found
end

local function give_classic(headers, value, seconds)
  local lasts = seconds > 0 and ";MAX-AGE=" .. seconds or ""
  headers:add("set-cookie", "AWSELB=" .. value .. ";PATH=/" .. lasts)
end

local function give(headers, name, value, seconds, secure)
  local expires = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + seconds)
  headers:add("set-cookie", name .. "=" .. value .. "; Expires=" .. expires .. "; Path=/")
  if name ~= "AWSALBAPP-0" then
    local tail = "; Expires=" .. expires .. "; Path=/; SameSite=None" .. (secure and "; Secure" or "")
    headers:add("set-cookie", name .. "CORS=" .. value .. tail)
  end
end

function envoy_on_response(handle)
  local context, headers = handle:filterContext(), handle:headers()
  local target, token = headers:get(TARGET), headers:get(GROUP)
  if not token then
    return
  end
  headers:remove(TARGET)
  headers:remove(GROUP)
  local secure, seconds = context:get("secure"), context:get("group_seconds")
  if seconds then
    give(headers, "AWSALBTG", token, seconds, secure)
  end
  local group = (context:get("groups") or {})[token]
  if not group or not target then
    return
  end
  local name = "AWSALB"
  if group.kind == "app_cookie" then
    local kept = handle:streamInfo():dynamicMetadata():get("pavedroad.stay") or {}
    name = "AWSALBAPP-0"
    if kept.stays ~= "1" and not sets(headers, group.cookie) then
      return
    end
  end
  local expires = group.classic and group.seconds == 0 and NEVER or os.time() + group.seconds
  local value = sealed(target, expires, token, words(context:get("key")))
  if value and group.classic then
    give_classic(headers, value, group.seconds)
  elseif value then
    give(headers, name, value, group.seconds, secure)
  end
end
