-- SPDX-License-Identifier: Apache-2.0
-- wrk script: POSTs the messages of a file in turn, each thread its own share.
-- The file is a row of messages, each after its length in two bytes, big-endian.
-- arguments: FILE PATH

local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

local requests = {}
local at = 0

function init(args)
	local file = assert(io.open(args[1], "rb"))
	local text = file:read("*a")
	local off, count = 1, 0
	file:close()
	wrk.method = "POST"
	wrk.headers["Content-Type"] = 'application/cose; cose-type="cose-mac0"'
	while off < #text do
		local high, low = text:byte(off, off + 1)
		local len = high * 256 + low
		if count % 2 == number % 2 then
			requests[#requests + 1] = wrk.format("POST", args[2], nil, text:sub(off + 2, off + 1 + len))
		end
		off = off + 2 + len
		count = count + 1
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end
