-- Segments that nginx is still sending. It logs a response at its end, which a client that reads slowly can delay for
-- as long as it likes. So each one that has taken long gets a line of its own in the access log. The log follower counts
-- it as a whole segment, and no session is settled without it. docs/gateway.md, "Usage by session".
--
-- Phases of one request: headers `start`, log `finish`. The lines that may have to be written, by request, are kept in
-- each worker process: at most one for each of its connections.

local transfers = {}

local pending = {}
local ROUND_S = 5
local LINE = '"method":"GET","session":"%s","stream":"%s","media":"%s","media_ms":%d,"status":%d,"open":true}\n'

-- Set after how many seconds a response gets its line. Return the module. The master process opens the log, since a
-- worker may be another user than the one whose pipe it is.
function transfers.with(slow_s)
    transfers.slow_s = slow_s
    transfers.log = assert(io.open("/dev/stdout", "a"))
    -- One write for each line, which a pipe accepts atomically.
    transfers.log:setvbuf("full", 4096)
    return transfers
end

local function write_lines()
    local now_s = ngx.now()
    for id, transfer in pairs(pending) do
        if now_s - transfer.began_s >= transfers.slow_s then
            pending[id] = nil
            local at = os.date("!%Y-%m-%dT%H:%M:%S+00:00", math.floor(now_s))
            transfers.log:write(string.format('{"at":"%s","at_s":%.3f,', at, now_s), transfer.line)
            transfers.log:flush()
        end
    end
end

-- In each worker process.
function transfers.watch()
    ngx.timer.every(math.min(ROUND_S, transfers.slow_s), write_lines)
end

-- Header phase of a segment. nginx has checked the form of its names.
function transfers.start()
    local var = ngx.var
    local media_ms, status = tonumber(var.upstream_http_x_amz_meta_media_ms), ngx.status
    if media_ms and var.request_method == "GET" and (status == 200 or status == 206) then
        local line = string.format(LINE, var.sid, var.tollcast_stream, var.media, media_ms, status)
        pending[var.request_id] = { began_s = ngx.now(), line = line }
    end
end

-- Log phase of any request.
function transfers.finish()
    pending[ngx.var.request_id] = nil
end

return transfers
