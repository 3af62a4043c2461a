-- Deletes the entries whose deadline has passed, then says what changed.
--
-- KEYS, ARGV[1..2]  as in begin.lua
-- ARGV[3]           the revision that the reader has
-- ARGV[4]           the longest ttl in ms; a deadline farther away was set before
--                   the clock was set back, and has passed as well
-- Returns {revision as text, 1 if everything else 0, {member, entry or '' if it
-- is gone, member, entry ...}}.

local gone = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', int(now_ms))
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. int(now_ms + ARGV[4]), '+inf')) do
  gone[#gone + 1] = member
end
for _, member in ipairs(gone) do
  redis.call('ZREM', KEYS[3], member)
  redis.call('HDEL', KEYS[2], member)
end
record(gone)

local known = tonumber(ARGV[3])
if known < floor or known > rev then
  return {int(rev), 1, redis.call('HGETALL', KEYS[2])}
end
local items = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. int(known), '+inf')) do
  items[#items + 1] = member
  items[#items + 1] = redis.call('HGET', KEYS[2], member) or ''
end
return {int(rev), 0, items}
