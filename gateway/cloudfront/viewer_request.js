// CloudFront's side of the access rule: may this play token fetch this session's media now?
// A CloudFront Function for viewer requests of /play/* (runtime cloudfront-js-2.0: 10 KB of code, no network). It says
// what services/access/access.py says, as far as it can be known here: the token, and a KeyValueStore that the API writes to.
//   key/<kid>         a play key, base64
//   session/<id>      the end reason of a session that ended before its token does, and when it was entered
//   stream/<id>       the end reason of a stream that is not wanted live
// "Paid" is the token's own expiry here: it never outlives its lease by more than the grace.
// The runtime knows less than today's JavaScript: `await` stands only where a whole value is awaited.

import cf from 'cloudfront';
import crypto from 'crypto';

// The same forms as in nginx.conf.template and chalicelib/api/media.py. What is percent-encoded does not fit.
const PATH = /^\/play\/([a-z2-7]{26})\/((?:[a-z0-9]{1,32}\/)?index\.m3u8|[a-z0-9]{1,32}\/[a-z0-9-]{1,64}\.ts)$/;
const STREAM = /^[a-z0-9][a-z0-9-]{0,62}$/;
const KID = /^[A-Za-z0-9_.-]{1,64}$/;
// A signature of HS256 has 32 bytes, which are 43 characters.
const TOKEN = /^([A-Za-z0-9_-]{1,512})\.([A-Za-z0-9_-]{1,1400})\.([A-Za-z0-9_-]{43})$/;

const TITLES = {
    401: 'Not authenticated', 402: 'Payment required', 403: 'Forbidden', 404: 'Not found',
    405: 'Method not allowed', 410: 'Gone', 503: 'Temporarily unavailable'
};
const ENDS = {
    viewer_stopped: [410, 'The viewer stopped this session.'],
    balance_exhausted: [402, 'The wallet is empty. Top it up to continue.'],
    max_points_reached: [402, 'The session has spent its maximum number of points. Start a new one to continue.'],
    daily_cap_reached: [402, "The viewer's daily cap is reached. It resets at 00:00 UTC."],
    kicked: [403, 'An operator ended this session.'],
    lease_expired: [402, 'The lease has expired, and no heartbeat bought another one.'],
    stream_paused: [410, 'The operator paused the stream.'],
    stream_stopped: [410, 'The operator stopped the stream.'],
    superseded: [403, 'A newer session of the same viewer replaced this one.']
};

async function handler(event) {
    const request = event.request;
    const path = PATH.exec(request.uri);
    if (!path) {
        return refusal(404, 'not_found', 'There is nothing at this address.');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
        return refusal(405, 'method_not_allowed', 'This address answers GET and HEAD.');
    }
    try {
        return await judged(request, path[1], path[2], cf.kvs());
    } catch (silent) {
        // The store did not answer, or something here is broken: access stays refused.
        return refusal(503, 'unavailable', 'Whether this may be watched cannot be told now. Try again in a moment.');
    }
}

async function judged(request, session, media, store) {
    const token = bearer(request.headers.authorization);
    if (!token) {
        return invalid('Media wants the header `Authorization: Bearer <play token>`.');
    }
    const claims = await verified(token, store);
    if (!claims) {
        return invalid('This is not a valid play token.');
    }
    if (claims.sid !== session) {
        return invalid('This play token belongs to another session.');
    }
    // How a session ended goes before the expiry of its token: a viewer shall learn the reason, not a symptom.
    const sessionDenied = await denial(store, 'session/' + session);
    if (sessionDenied) {
        return sessionDenied;
    }
    const streamDenied = await denial(store, 'stream/' + claims.stream);
    if (streamDenied) {
        return streamDenied;
    }
    if (Date.now() >= claims.exp_ms) {
        return refusal(401, 'token_expired', 'The play token has expired; a heartbeat or a renewal brings a fresh one.');
    }
    return forwarded(request, claims.stream, media);
}

// The token of the one Authorization header. CloudFront joins repeated headers: what is not one token fits nothing.
function bearer(header) {
    if (!header || header.multiValue) {
        return null;
    }
    const found = /^bearer (.*)$/i.exec(header.value);
    return found ? found[1].trim() : null;
}

// The claims of a play token that one of our keys has signed, or null.
async function verified(token, store) {
    const parts = TOKEN.exec(token);
    const head = parts && parsed(parts[1]);
    if (!head || head.alg !== 'HS256' || head.typ !== 'play+jwt' || head.crit !== undefined || !isText(head.kid, KID)) {
        return null;
    }
    const known = await store.exists('key/' + head.kid);
    if (!known) {
        return null;
    }
    const key = await store.get('key/' + head.kid);
    const signature = crypto.createHmac('sha256', Buffer.from(key, 'base64')).update(parts[1] + '.' + parts[2]).digest('base64url');
    const claims = same(signature, parts[3]) && parsed(parts[2]);
    return claims && isPlay(claims) ? claims : null;
}

function isPlay(claims) {
    return claims.aud === 'tollcast-media' && typeof claims.exp_ms === 'number' && isText(claims.stream, STREAM);
}

function isText(value, form) {
    return typeof value === 'string' && form.test(value);
}

// The JSON object in a part of a token, or null.
function parsed(part) {
    try {
        const value = JSON.parse(Buffer.from(part, 'base64url').toString());
        return value !== null && typeof value === 'object' ? value : null;
    } catch (malformed) {
        return null;
    }
}

// Takes as long whatever differs.
function same(one, other) {
    let differing = one.length ^ other.length;
    for (let i = 0; i < one.length; i++) {
        differing |= one.charCodeAt(i) ^ other.charCodeAt(i);
    }
    return differing === 0;
}

async function denial(store, key) {
    const listed = await store.exists(key);
    if (!listed) {
        return null;
    }
    const value = await store.get(key);
    const reason = value.split(' ')[0];
    const end = ENDS[reason];
    // An entry that we do not understand is an entry.
    return end ? refusal(end[0], reason, end[1], reason) : refusal(403, 'forbidden', 'This is not allowed.');
}

// Segments go to the store under their stream's key, so that all its viewers share one cached object, and the store is
// told nothing of the viewer. Playlists go on to the API, whose authorizer judges the same token again.
function forwarded(request, stream, media) {
    request.querystring = {};
    request.cookies = {};
    if (media.endsWith('.ts')) {
        request.uri = '/streams/' + stream + '/' + media;
        delete request.headers.authorization;
    }
    return request;
}

function invalid(detail) {
    return refusal(401, 'token_invalid', detail);
}

function refusal(status, code, detail, endReason) {
    const problem = {
        type: 'urn:tollcast:problem:' + code, title: TITLES[status], status: status, detail: detail, code: code
    };
    const headers = {
        'content-type': { value: 'application/problem+json' },
        'cache-control': { value: 'no-store' },
        'x-content-type-options': { value: 'nosniff' }
    };
    if (endReason) {
        problem.end_reason = endReason;
    }
    if (status === 401) {
        headers['www-authenticate'] = { value: 'Bearer' };
    }
    if (status === 405) {
        headers.allow = { value: 'GET, HEAD' };
    }
    if (status === 503) {
        headers['retry-after'] = { value: '1' };
    }
    return {
        statusCode: status, statusDescription: TITLES[status], headers: headers,
        body: { encoding: 'text', data: JSON.stringify(problem) }
    };
}
