-- The head of every presence script: it reads where the store stands.
--
-- KEYS[1] state      hash: run, rev, floor
-- KEYS[2] entries    hash: member -> entry as JSON
-- KEYS[3] deadlines  sorted set: member -> deadline, in ms of Redis's clock
-- KEYS[4] log        sorted set: member -> revision of its last change
-- ARGV[1]            most members to keep in log
-- ARGV[2]            longest time to keep them there, in us
--
-- A revision is Redis's clock in us, or one more than the last when the clock
-- stands or was set back. Numbers up to 2^53 are exact in Lua and as scores.

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now_ms = math.floor(now_us / 1000)

local state = redis.call('HMGET', KEYS[1], 'run', 'rev', 'floor')
local rev = tonumber(state[2]) or 0
local floor = tonumber(state[3]) or 0 -- log is whole from here on

local function int(n) return string.format('%.0f', n) end

-- A server that was restarted, flushed or replaced may have lost what readers
-- were told: nobody's revision counts any more. Where keys were lost one by one
-- (eviction), what is left is dropped, and put again by the next heartbeats.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local whole = redis.call('HLEN', KEYS[2]) == redis.call('ZCARD', KEYS[3])
local log_lost = rev > floor and redis.call('EXISTS', KEYS[4]) == 0
if state[1] ~= run or not whole or log_lost then
  redis.call('DEL', KEYS[4])
  if not whole then redis.call('DEL', KEYS[2], KEYS[3]) end
  rev = math.max(rev + 1, now_us)
  floor = rev
  redis.call('HSET', KEYS[1], 'run', run, 'rev', int(rev), 'floor', int(floor))
end

-- record gives all members one new revision, and forgets changes that are too
-- old or too many.
local function record(members)
  if #members == 0 then return end
  rev = math.max(rev + 1, now_us)
  for _, member in ipairs(members) do
    redis.call('ZADD', KEYS[4], int(rev), member)
  end
  local log = KEYS[4]
  local old = redis.call('ZCOUNT', log, '-inf', int(now_us - ARGV[2]))
  local drop = math.max(old, redis.call('ZCARD', log) - ARGV[1])
  if drop > 0 then
    floor = tonumber(redis.call('ZRANGE', log, drop - 1, drop - 1, 'WITHSCORES')[2])
    redis.call('ZREMRANGEBYRANK', log, 0, drop - 1)
  end
  redis.call('HSET', KEYS[1], 'rev', int(rev), 'floor', int(floor))
end
