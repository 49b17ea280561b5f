-- The hold: a session is served as much media as the access rule lets it fetch. docs/gateway.md, "The hold".
--
-- Phases of one request for a segment. Variables of nginx connect them, since a redirect inside nginx clears ngx.ctx.
--   access   `wait`     reserves the segment's expected duration, or waits for a payment, or refuses
--   headers  `correct`  changes the reservation to the segment's real duration
--   log      `count`    replaces the reservation by the part that was sent
--
-- Keys of the shared dictionary. Where it is full, nginx removes those that were used the longest ago: first segments,
-- whose repetition then counts again. A session's own total is used with every segment, so it goes last.
--   <session>           milliseconds counted and reserved
--   <session>/<name>    milliseconds sent of a segment, in all renditions; may exceed its duration
--   fetchable:<session> the most that a waiting request has found
--   asked:<session>     present for a second after a question
--   expected:<stream>   the duration that its next segment is expected to have
--   worker:<start>:<n>  present once the worker process n has started, by the start or reload of nginx

local hold = {}

local dict = ngx.shared.hold
local WAIT_S, ROUND_S, ASK_S = 6, 0.1, 1
-- The longest window of a stream, and how long a repetition is recognized.
local SESSION_S, SEGMENT_S = 43200, 600
-- What a session may have left where its total is unknown: it is new, or nginx has restarted. A preview's lease and its
-- allowance.
local UNKNOWN_MS = 608000

-- Set the directory of the denylist and the origin server's socket. Return the module.
function hold.with(denylist_dir, origin)
    hold.denylist_dir, hold.origin = denylist_dir, origin
    hold.start = "worker:" .. ngx.now() .. ":"
    return hold
end

-- In each worker process. One that takes the place of a killed one forgets all totals, as a restart of nginx does: the
-- reservations of the killed one would hold its sessions for good.
function hold.begin()
    if dict:add(hold.start .. ngx.worker.id(), true) then
        return
    end
    dict:flush_all()
    for id = 0, ngx.worker.count() - 1 do
        dict:set(hold.start .. id, true)
    end
end

local function segment_key(var)
    return var.sid .. "/" .. var.media:match("[^/]*$")
end

local function real_ms(var)
    return tonumber(var.upstream_http_x_amz_meta_media_ms)
end

-- Return the milliseconds that the request has reserved; nil where the session is bound to wait.
local function reserve(var, bound)
    local sid = var.sid
    local unknown = math.max(0, bound - UNKNOWN_MS)
    local expected = dict:get("expected:" .. var.tollcast_stream)
    -- The first segment of an unknown stream takes all that is left, so no second one comes beside it.
    local ms = bound - (dict:get(sid) or unknown)
    if expected then
        ms = math.max(0, expected - (dict:get(segment_key(var)) or 0))
        if ms == 0 then
            return 0
        end
    elseif ms <= 0 then
        return nil
    end
    -- Add first, compare after: of two requests at once, both see the other's reservation.
    if dict:incr(sid, ms, unknown) <= bound then
        return ms
    end
    dict:incr(sid, -ms)
    return nil
end

local function is_denied(var)
    for _, path in ipairs({ "/sessions/" .. var.sid, "/streams/" .. var.tollcast_stream }) do
        local file = io.open(hold.denylist_dir .. path)
        if file then
            file:close()
            return true
        end
    end
    return false
end

-- Ask the access rule, whatever decision nginx has cached. Store its bound. Return whether the rule refuses; a part that
-- does not respond is no refusal.
local function ask(var)
    local socket = ngx.socket.tcp()
    socket:settimeout(2000)
    if not socket:connect("unix:" .. hold.origin) then
        return false
    end
    -- A subrequest (ngx.location.capture) is not possible in HTTP/2. nginx accepts no line ends in headers.
    socket:send({
        "GET /verdict HTTP/1.0\r\nAuthorization: ", var.http_authorization or "",
        "\r\nX-Tollcast-Session: ", var.sid,
        "\r\nX-Tollcast-Address: ", var.remote_addr,
        "\r\nX-Tollcast-Agent: ", var.http_user_agent or "",
        "\r\nX-Request-ID: ", var.rid, "\r\n\r\n",
    })
    local answer = socket:receive("*a") or ""
    socket:close()
    local fetchable_ms = tonumber(answer:match("\r\nX%-Tollcast%-Fetchable: (%d+)\r\n"))
    if fetchable_ms then
        dict:set("fetchable:" .. var.sid, fetchable_ms, SESSION_S)
    end
    return answer:find("\r\nX-Tollcast-Reason: ", 1, true) ~= nil
end

-- Access phase: return once the segment may be served or the denylist refuses, else end the request.
function hold.wait()
    local var = ngx.var
    if var.request_method ~= "GET" then
        return
    end
    local sid, deadline = var.sid, ngx.now() + WAIT_S
    while true do
        -- A newer bound is less only where the last lease is short.
        local bound = math.max(tonumber(var.tollcast_fetchable) or 0, dict:get("fetchable:" .. sid) or 0)
        local reserved_ms = reserve(var, bound)
        if reserved_ms then
            var.reserved_ms = reserved_ms
            return
        end
        if is_denied(var) then
            return
        end
        if ngx.now() >= deadline then
            return ngx.exec("/_problem/ahead_of_payment")
        end
        -- One question a second for all waiting requests of a session. The first comes at once: a heartbeat may have
        -- paid since the decision was cached.
        if dict:add("asked:" .. sid, true, ASK_S) then
            if ask(var) then
                return ngx.exit(ngx.HTTP_FORBIDDEN)
            end
        else
            ngx.sleep(ROUND_S)
        end
    end
end

-- Header phase.
function hold.correct()
    local var = ngx.var
    local reserved_ms, ms = tonumber(var.reserved_ms), real_ms(var)
    if not reserved_ms or not ms then
        return
    end
    -- It follows longer segments at once and shorter ones slowly: segments of a copied source differ.
    local key = "expected:" .. var.tollcast_stream
    dict:set(key, math.max(ms, 0.9 * (dict:get(key) or 0)))
    local needed_ms = math.max(0, ms - (dict:get(segment_key(var)) or 0))
    dict:incr(var.sid, needed_ms - reserved_ms)
    var.reserved_ms = needed_ms
end

-- Return the part of the segment that was sent, 0 to 1.
local function part_sent(var)
    local total = tonumber(var.sent_http_content_length)
    if var.status == "206" then
        total = tonumber((var.sent_http_content_range or ""):match("/(%d+)$"))
    elseif var.status ~= "200" then
        return 0
    end
    return total and total > 0 and math.min(1, var.body_bytes_sent / total) or 0
end

-- Log phase.
function hold.count()
    local var = ngx.var
    local reserved_ms = tonumber(var.reserved_ms)
    if not reserved_ms then
        return
    end
    local sid, ms = var.sid, real_ms(var)
    local sent_ms = ms and math.ceil(ms * part_sent(var)) or 0
    local counted_ms = 0
    if sent_ms > 0 then
        -- All parts of a segment count as its duration at most.
        local key = segment_key(var)
        local sum = dict:incr(key, sent_ms, 0)
        dict:expire(key, SEGMENT_S)
        counted_ms = math.min(sum, ms) - math.min(sum - sent_ms, ms)
    end
    dict:incr(sid, counted_ms - reserved_ms)
    dict:expire(sid, SESSION_S)
end

return hold
