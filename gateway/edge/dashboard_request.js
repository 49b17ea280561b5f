// The dashboard at CloudFront: which object answers an address below /admin.
// A CloudFront Function for viewer requests of /admin and /admin/* (runtime cloudfront-js-2.0). Keep the patterns equal
// to those in nginx.conf.template. It cannot look whether an object exists, so files beside the page are known by
// their ending, and a missing one is 404 here.

const ASSET = /^\/admin\/assets\/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;
const BESIDE = /^\/admin\/[a-z0-9_-]{1,64}\.(?:html|ico|json|png|svg|txt|webmanifest)$/;
const HIDDEN = /\/\.|%2e|%2f/i;

function handler(event) {
    const request = event.request;
    const uri = request.uri;
    request.querystring = {};
    if (uri === '/admin') {
        return {
            statusCode: 301, statusDescription: 'Moved Permanently', headers: { location: { value: '/admin/' } }
        };
    }
    if (uri.startsWith('/admin/assets/') ? !ASSET.test(uri) : HIDDEN.test(uri)) {
        return { statusCode: 404, statusDescription: 'Not Found', headers: { 'cache-control': { value: 'no-store' } } };
    }
    if (!ASSET.test(uri) && !BESIDE.test(uri)) {
        request.uri = '/admin/index.html';
    }
    return request;
}
