-- A number's place in a line is this call's from now on. Who waited by it until now stays named here until they were told, and
-- never has it again.
-- KEYS: place
-- ARGV: call_id, seat_id, joined_at, seconds to keep
-- Returns the ids of the calls that have to be told, with blanks between; empty when there are none.
local call = ARGV[1]
local before = redis.call('HMGET', KEYS[1], 'call_id', 'left_at', 'to_tell', 'replaced')
local to_tell, replaced = before[3] or '', before[4] or ''
if before[1] and before[1] ~= call then
  if string.find(' ' .. replaced .. ' ', ' ' .. call .. ' ', 1, true) then
    return '' -- an act of before, repeated
  end
  if before[2] == '' then
    to_tell, replaced = before[1] .. ' ' .. to_tell, before[1] .. ' ' .. replaced
  end
end
redis.call('HSET', KEYS[1], 'call_id', call, 'seat_id', ARGV[2], 'joined_at', ARGV[3], 'left_at', '', 'to_tell', to_tell,
  'replaced', replaced)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return to_tell
