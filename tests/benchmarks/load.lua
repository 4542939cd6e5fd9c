-- Pings of many monitors for wrk, each with an id of its own: `-- KEY MONITORS FORM PREFIX`.
-- FORM is `plain` (what curl sends from a crontab) or `full` (what radar's own client does).

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  key, monitors, form, prefix = arguments[1], tonumber(arguments[2]), arguments[3], arguments[4]
  count = 0
  math.randomseed(number + 1)
  headers = { ["Authorization"] = "Bearer " .. key }
  body = string.rep("a line of what the job has to say\n", 6)
end

function request()
  count = count + 1
  local monitor = "m" .. math.random(monitors)
  if form == "plain" then
    return wrk.format("GET", "/ping/" .. monitor .. "?create=1", headers)
  end
  local id = string.format("0194a1b2-%s-7%03x-8000-%012x", prefix, number, count)
  local path = "/ping/" .. monitor .. "/complete?id=" .. id .. "&rid=" .. id
    .. "&ts=1795000000.125000&sent=1795000000.250000&duration=12.5&exit=0&cpu=0.25&rss=12345678"
    .. "&host=worker-1.example.org"
  return wrk.format("POST", path, headers, body)
end

function response(status)
  if status ~= 200 then refused = (refused or 0) + 1 end
end

function done(summary, latency)
  io.write(string.format("RESULT %d %d %d %d %.1f %.1f %.1f %.1f\n",
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,
    latency.max / 1000))
end
