// The access rule at CloudFront: may this play token fetch this session's media now?
// A CloudFront Function for viewer requests of /play/* (runtime cloudfront-js-2.0: 10 KB of code, no network). It
// decides like services/access/access.py, from the token and a KeyValueStore that the API writes to.
//   key/<kid>         a play key, base64
//   session/<id>      the end reason of a session that ended before its token expires, and the time of the entry
//   stream/<id>       the end reason of a stream that is not live
// "Paid" is the token's expiry here: it exceeds the lease by the grace period at most.
// The runtime supports `await` only where a whole value is awaited.

import cf from 'cloudfront';
import crypto from 'crypto';

// Keep these patterns equal to those in nginx.conf.template and chalicelib/api/access/media.py. They match no
// percent-encoding.
const PATH = /^\/play\/([a-z2-7]{26})\/((?:[a-z0-9]{1,32}\/)?index\.m3u8|[a-z0-9]{1,32}\/[a-z0-9-]{1,64}\.ts)$/;
const STREAM = /^[a-z0-9][a-z0-9-]{0,62}$/;
const KID = /^[A-Za-z0-9_.-]{1,64}$/;
// An HS256 signature has 32 bytes, which are 43 characters.
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
        return refusal(405, 'method_not_allowed', 'This address accepts GET and HEAD.');
    }
    try {
        return await authorize(request, path[1], path[2], cf.kvs());
    } catch (silent) {
        // The store did not respond, or this code failed: access stays refused.
        return refusal(503, 'unavailable', 'The platform cannot check your access now. Try again in a moment.');
    }
}

async function authorize(request, session, media, store) {
    const token = bearer(request.headers.authorization);
    if (!token) {
        return invalid('Media requires the header `Authorization: Bearer <play token>`.');
    }
    const claims = await verify(token, store);
    if (!claims) {
        return invalid('This is not a valid play token.');
    }
    if (claims.sid !== session) {
        return invalid('This play token belongs to another session.');
    }
    // The end of the session takes precedence over the token's expiry, so that the viewer learns the reason.
    const sessionDenied = await denial(store, 'session/' + session);
    if (sessionDenied) {
        return sessionDenied;
    }
    const streamDenied = await denial(store, 'stream/' + claims.stream);
    if (streamDenied) {
        return streamDenied;
    }
    if (Date.now() >= claims.exp_ms) {
        return refusal(401, 'token_expired', 'The play token has expired. Send a heartbeat or renew the token.');
    }
    return forward(request, claims.stream, media);
}

// Returns the token of the Authorization header. CloudFront joins repeated headers, which then match no token.
function bearer(header) {
    if (!header || header.multiValue) {
        return null;
    }
    const found = /^bearer (.*)$/i.exec(header.value);
    return found ? found[1].trim() : null;
}

// Returns the claims of a play token that one of our keys signed, or null.
async function verify(token, store) {
    const parts = TOKEN.exec(token);
    const head = parts && parseObject(parts[1]);
    if (!head || head.alg !== 'HS256' || head.typ !== 'play+jwt' || head.crit !== undefined || !isText(head.kid, KID)) {
        return null;
    }
    const known = await store.exists('key/' + head.kid);
    if (!known) {
        return null;
    }
    const key = await store.get('key/' + head.kid);
    const signature = crypto.createHmac('sha256', Buffer.from(key, 'base64')).update(parts[1] + '.' + parts[2]).digest('base64url');
    const claims = isEqual(signature, parts[3]) && parseObject(parts[2]);
    return claims && isPlay(claims) ? claims : null;
}

function isPlay(claims) {
    return claims.aud === 'tollcast-media' && typeof claims.exp_ms === 'number' && isText(claims.stream, STREAM);
}

function isText(value, form) {
    return typeof value === 'string' && form.test(value);
}

// Returns the JSON object in a part of a token, or null.
function parseObject(part) {
    try {
        const value = JSON.parse(Buffer.from(part, 'base64url').toString());
        return value !== null && typeof value === 'object' ? value : null;
    } catch (malformed) {
        return null;
    }
}

// Compares in constant time.
function isEqual(one, other) {
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
    // An unknown end reason is a denial too.
    return end ? refusal(end[0], reason, end[1], reason) : refusal(403, 'forbidden', 'This is not allowed.');
}

// Requests for segments go to the store by the stream's key, without the viewer's token, so that all viewers share one
// cached object. Requests for playlists go to the API, whose authorizer checks the same token again.
function forward(request, stream, media) {
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
