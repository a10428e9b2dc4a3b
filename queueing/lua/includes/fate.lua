-- What has become of a seat's newest claim: ringing or talking as the seat does, else what was put down when it was over
-- (freed, returned, reaped).
local function fate_of(state, fate)
  return (state == 'ringing' or state == 'talking') and state or fate
end
