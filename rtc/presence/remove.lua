-- Deletes entries; unknown ones are passed over.
--
-- KEYS, ARGV[1..2]  as in begin.lua
-- ARGV[3..]         member, member ...
-- Returns nothing.

local gone = {}
for i = 3, #ARGV do
  if redis.call('HDEL', KEYS[2], ARGV[i]) == 1 then
    redis.call('ZREM', KEYS[3], ARGV[i])
    gone[#gone + 1] = ARGV[i]
  end
end
record(gone)
return false
