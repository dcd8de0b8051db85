"""What Redis does in one step for the limits; its own clock counts, in microseconds.

A value that is no number, or lies further ahead than these scripts write it,
counts for nothing: it must neither lift a limit nor hold an account for ever.
"""

from __future__ import annotations

# For each key: interval, tolerance, and what of it is used where nothing is known; then the
# longest wait. Answers whether the call may go, and when.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wait = 0
local tats = {}
for i, key in ipairs(KEYS) do
  local tat = tonumber(redis.call('GET', key))
  if not tat or tat ~= tat then tat = now + ARGV[3 * i] end
  -- Further ahead than the longest reservation only where Redis' own time was put back.
  tat = math.min(tat, now + 2 * ARGV[3 * i - 1] + ARGV[3 * i - 2] + 10000000)
  tats[i] = math.max(tat, now)
  wait = math.max(wait, tats[i] - ARGV[3 * i - 1] - now)
end
if wait > tonumber(ARGV[#ARGV]) then return {0, wait} end
for i, key in ipairs(KEYS) do
  local tat = math.max(tats[i], now + wait) + ARGV[3 * i - 2]
  redis.call('SET', key, string.format('%.0f', tat), 'PX', 172800000)
end
return {1, wait}
"""
# Lets no call go before so many microseconds have passed, tolerance included.
LEAVE_ONLY = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local tat = tonumber(redis.call('GET', KEYS[1]))
if not tat or tat ~= tat or tat < now + ARGV[1] then
  redis.call('SET', KEYS[1], string.format('%.0f', now + ARGV[1]), 'PX', 172800000)
end
"""
# A slot among those that may call at the same moment; it lapses after so many seconds.
ENTER = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + 300, '+inf')
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], 600)
return 1
"""
