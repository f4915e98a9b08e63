-- For wrk: posts reviews of texts that are all new.
local headers = { ["Content-Type"] = "application/json" }
local salt = os.getenv("SALT")
local at = 0
function request()
  at = at + 1
  local body = string.format('{"tweet": "a new review, %s number %d", "is_hate_speech": %s}', salt, at, at % 9 == 0)
  return wrk.format("POST", nil, headers, body)
end
