-- Creates or replaces entries, all with the same new deadline. An entry that is
-- the same as before gets no revision.
--
-- KEYS, ARGV[1..2]  as in begin.lua
-- ARGV[3]           ttl in ms
-- ARGV[4..]         member, entry, member, entry ...
-- Returns nothing.

local deadline = int(now_ms + ARGV[3])
local changed = {}
for i = 4, #ARGV, 2 do
  local member, entry = ARGV[i], ARGV[i + 1]
  redis.call('ZADD', KEYS[3], deadline, member)
  if redis.call('HGET', KEYS[2], member) ~= entry then
    redis.call('HSET', KEYS[2], member, entry)
    changed[#changed + 1] = member
  end
end
record(changed)
return false
