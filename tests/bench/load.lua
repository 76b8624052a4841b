-- What wrk sends: single deposits, batches of deposits, or reads, one after the other round the communities.
-- Arguments: the file of targets (a line each: path, token, volunteers with commas), what to send, how many rows a
-- batch has, and how many services each community has already, so that no run records what another has recorded.
local targets, what, rows, number, first = {}, "deposits", 500, 0, 0
local first_day, days, day_seconds = os.time({year = 2025, month = 2, day = 1, hour = 12}), 630, 86400

function init(arguments)
  for line in io.lines(arguments[1]) do
    local path, token, listed = line:match("^(%S+) (%S+) (%S+)$")
    local volunteers = {}
    for volunteer in listed:gmatch("[^,]+") do volunteers[#volunteers + 1] = volunteer end
    targets[#targets + 1] = {path = path, token = token, volunteers = volunteers}
  end
  what, rows, first = arguments[2], tonumber(arguments[3]), tonumber(arguments[4])
end

-- The nth service of a community: each volunteer serves an hour a day, then a second hour of each day, and so on.
local function record(target, n, reference)
  local volunteer = target.volunteers[n % #target.volunteers + 1]
  local turn = math.floor(n / #target.volunteers)
  local day = os.date("!%Y-%m-%d", first_day + turn % days * day_seconds)
  local hour = 8 + math.floor(turn / days)
  return string.format(
    '{"volunteer_id":"%s","service_kind":"home_visit","activity_name":"入户探访","place":"祁连家园",'
      .. '"content":"量血压、打扫卫生、陪老人聊天","organiser":"祁连路西社区居委会",'
      .. '"started_at":"%sT%02d:00:00+08:00","ended_at":"%sT%02d:00:00+08:00","minutes":60%s}',
    volunteer, day, hour, day, hour + 1, reference and ',"reference":"' .. reference .. '"' or "")
end

local function batch(target, n)
  local records = {}
  for row = 1, rows do
    local service = first + n * rows + row - 1
    records[row] = record(target, service, "B" .. service)
  end
  return '{"records":[' .. table.concat(records, ",") .. "]}"
end

function request()
  local target = targets[number % #targets + 1]
  local n = math.floor(number / #targets)
  number = number + 1
  local headers = {["Authorization"] = "Bearer " .. target.token}
  if what == "balance" or what == "statement" then
    local volunteer = target.volunteers[n % #target.volunteers + 1]
    local query = what == "statement" and "?limit=50" or ""
    return wrk.format("GET", target.path .. "/volunteers/" .. volunteer .. "/" .. what .. query, headers)
  elseif what == "empty" then
    return wrk.format("GET", "/", headers)
  end
  headers["Content-Type"] = "application/json"
  headers["Idempotency-Key"] = string.format("bench-%s-%d-%d", what, first, number)
  if what == "batches" then
    return wrk.format("POST", target.path .. "/service-record-batches", headers, batch(target, n))
  end
  return wrk.format("POST", target.path .. "/service-records", headers, record(target, first + n))
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %.6f, "failed": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
