-- Pings of many monitors for wrk, each with an id of its own: `-- KEY MONITORS FORM PREFIX`.
-- FORM is `plain` (what curl sends from a crontab) or `full` (what radar's own client does, a start
-- and an end of each run).

local ffi = require("ffi")
ffi.cdef("typedef struct { long s, us; } moment; int gettimeofday(moment *now, void *zone);")

local function clock()
  local now = ffi.new("moment")
  ffi.C.gettimeofday(now, nil)
  return string.format("%d.%06d", tonumber(now.s), tonumber(now.us))
end

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  key, monitors, form, prefix = arguments[1], tonumber(arguments[2]), arguments[3], arguments[4]
  count = 0
  running = {}
  math.randomseed(number + 1)
  headers = { ["Authorization"] = "Bearer " .. key }
  body = string.rep("a line of what the job has to say\n", 6)
end

-- Of radar's own runs each begins some hundred requests before it ends, on whatever connection.
local apart = 400

function request()
  count = count + 1
  local monitor = "m" .. math.random(monitors)
  if form == "plain" then
    return wrk.format("GET", "/ping/" .. monitor .. "?create=1", headers)
  end
  local run, what = count, "/start"
  if count % 2 == 0 and running[count - apart + 1] then
    run, what = count - apart + 1, "/complete"
    monitor = running[run]
    running[run] = nil
  else
    running[run] = monitor
  end
  local id = string.format("0194a1b2-%s-7%03x-8000-%012x", prefix, number, count)
  local rid = string.format("0194a1b2-%s-7%03x-9000-%012x", prefix, number, run)
  local now = clock()
  local path = "/ping/" .. monitor .. what .. "?id=" .. id .. "&rid=" .. rid
    .. "&ts=" .. now .. "&sent=" .. now .. "&host=worker-1.example.org"
  if what == "/start" then
    return wrk.format("POST", path, headers)
  end
  path = path .. "&duration=12.5&exit=0&cpu=0.25&rss=12345678"
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
