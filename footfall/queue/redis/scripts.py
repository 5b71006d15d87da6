"""What Redis runs as one step, in Lua.

A script of Redis is taken as a whole or not at all: a Redis without memory refuses its first change, and a crash leaves
all of its changes in the append-only file, or none.
"""

_GENERATION = """
local GENERATION, RUN, LAYOUTS = KEYS[1], KEYS[2], KEYS[3]
local REQUESTS, TRIMMED, BEGUN = ARGV[1], ARGV[2], ARGV[3]

local function shard_of(count, number)
  return string.format('%d-%02d', count, number)
end

-- A server that was started anew may have come back with older data. Whatever it holds at this moment was pushed
-- before; where it ends, the requests of the new generation begin.
local function ensure_generation()
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or 'unknown'
  if redis.call('GET', RUN) == run and redis.call('EXISTS', GENERATION) == 1 then
    return
  end
  local now = redis.call('TIME')
  local generation = string.sub(redis.sha1hex(run .. ' ' .. now[1] .. ' ' .. now[2]), 1, 32)
  for _, count in ipairs(redis.call('SMEMBERS', LAYOUTS)) do
    for number = 0, tonumber(count) - 1 do
      local shard = shard_of(tonumber(count), number)
      local last = tonumber(redis.call('GET', TRIMMED .. shard) or 0) + redis.call('LLEN', REQUESTS .. shard)
      redis.call('HSET', BEGUN .. shard, generation, string.format('%.0f', last))
    end
  end
  -- Without a generation Redis was new, or emptied: whatever it holds from now on is new.
  if redis.call('EXISTS', GENERATION) == 0 then
    redis.call('SET', GENERATION .. ':first', generation)
  end
  redis.call('SET', GENERATION, generation)
  redis.call('SET', RUN, run)
end
"""

ENSURE_GENERATION = _GENERATION + "ensure_generation()\nreturn redis.call('GET', GENERATION)"
"""Begin a generation unless the server and its data are those of the last one.

KEYS: generation, run, layouts. ARGV: the beginnings of the names of a shard's requests, trimmed and begun. Returns the
generation.
"""

PUSH = (
    _GENERATION
    + """
local LAYOUT_ORDER, COUNTERS, FLUSHED = KEYS[4], KEYS[5], KEYS[6]
local layout, activate, sequence, seconds, counters = ARGV[4], ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8])
local LISTS, LONGEST = 6, 1000

local function holds(count)
  for number = 0, tonumber(count) - 1 do
    if redis.call('EXISTS', REQUESTS .. shard_of(tonumber(count), number)) == 1 then return true end
  end
  return false
end

local function use_layout()
  redis.call('LREM', LAYOUT_ORDER, 0, layout)
  redis.call('RPUSH', LAYOUT_ORDER, layout)
  redis.call('SADD', LAYOUTS, layout)
end

local latest = redis.call('GET', FLUSHED)
if latest and tonumber(latest) >= tonumber(sequence) then
  return {'stored'}
end
local active = redis.call('LINDEX', LAYOUT_ORDER, -1)
if active and active ~= layout and (activate == '0' or holds(layout)) then
  return {'layout', tonumber(active)}
end
ensure_generation()
if not active then
  for _, former in ipairs(redis.call('SMEMBERS', LAYOUTS)) do
    if former ~= layout then redis.call('RPUSH', LAYOUT_ORDER, former) end
  end
end
if active ~= layout then use_layout() end
redis.call('SET', FLUSHED, sequence, 'EX', seconds)
local at = 9
for _ = 1, counters do
  redis.call('HINCRBY', COUNTERS, ARGV[at], ARGV[at + 1])
  at = at + 2
end
local answer = {'pushed'}
for list = LISTS + 1, #KEYS do
  local last = at + tonumber(ARGV[at])
  at = at + 1
  local length
  while at <= last do
    local upto = math.min(at + LONGEST - 1, last)
    length = redis.call('RPUSH', KEYS[list], unpack(ARGV, at, upto))
    at = upto + 1
  end
  answer[#answer + 1] = length
end
return answer
"""
)
"""Push a flush, unless it has been pushed before.

KEYS: generation, run, layouts, layout order, counters, the producer's flushed key, and the list of each shard.
ARGV: as above; the layout that the requests are spread over; '1' when it may be brought into use; the number of the
flush and how long, in seconds, it is remembered; how many counters there are, then name and increment of each; then for
each list the number of its records, and these.
Returns `pushed` and the length of each list afterwards; or `stored` when it was pushed before; or `layout` and the one
in use, when it is another.
"""

READ_HEAD = """
local REQUESTS, TRIMMED, BEGUN, GENERATION, FIRST, CHANGE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local most, most_bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
local SLICE = 16

local function first_records()
  local records, count, bytes = {}, 0, 0
  while count < most do
    local slice = redis.call('LRANGE', REQUESTS, count, math.min(count + SLICE, most) - 1)
    for _, record in ipairs(slice) do
      bytes = bytes + #record
      if bytes > most_bytes and count > 0 then return records end
      count = count + 1
      records[count] = record
    end
    if #slice < SLICE then return records end
  end
  return records
end

return {
  redis.call('GET', GENERATION), redis.call('GET', FIRST), redis.call('GET', TRIMMED), redis.call('LLEN', REQUESTS),
  redis.call('GET', CHANGE), redis.call('HGETALL', BEGUN), first_records()
}
"""
"""Read the first records of a shard, and what tells where they stand.

A list cannot be asked for a number of bytes, and a thousand of the largest requests would take 4 GB; so it is read in
slices. Costs Redis 1 us per record more than LRANGE.

KEYS: the shard's requests, trimmed and begun; generation, first generation, change. ARGV: the most records; the most
bytes that they have together, though a first record is returned whatever its size.
Returns generation, first generation, trimmed, length of the list, change, begun (names and values in turn), records.
"""

READ_SLICE = """
local trimmed = tonumber(redis.call('GET', KEYS[2]) or 0)
local from = math.max(tonumber(ARGV[1]) - trimmed, 0)
return {string.format('%.0f', trimmed + from), redis.call('LRANGE', KEYS[1], from, from + tonumber(ARGV[2]) - 1)}
"""
"""Read records of a shard from an offset on, or from its head where that lies behind it.

KEYS: the shard's requests and trimmed. ARGV: the offset; the most records. Returns the offset of the first of them, and
the records.
"""

TRIM = """
local REQUESTS, TRIMMED, GENERATION, COUNTERS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local generation, trimmed, count = ARGV[1], ARGV[2], ARGV[3]

if redis.call('GET', GENERATION) ~= generation or (redis.call('GET', TRIMMED) or '0') ~= trimmed then
  return 0
end
redis.call('LTRIM', REQUESTS, count, -1)
redis.call('SET', TRIMMED, string.format('%.0f', trimmed + count))
for at = 4, #ARGV, 2 do
  redis.call('HINCRBY', COUNTERS, ARGV[at], ARGV[at + 1])
end
return 1
"""
"""Remove records from the head of a shard, and count what became of them, unless others were removed meanwhile.

KEYS: the shard's requests and trimmed; generation, counters. ARGV: the generation, and what trimmed was, when the
records were read; how many to remove; then name and increment of each counter. Returns whether it did.
"""
