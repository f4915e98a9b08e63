-- For wrk: posts the lines of a file of JSON bodies, in turn, and counts what is not a 200.
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local headers = { ["Content-Type"] = "application/json" }
local at = 0
function request()
  at = at % #bodies + 1
  return wrk.format("POST", nil, headers, bodies[at])
end
