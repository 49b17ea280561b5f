// Runs CloudFront's function as CloudFront does, for the tests: `node run_function.mjs FILE < cases > answers`.
// A case is {event, store, silent, now_ms}. The module 'cloudfront' is a stub: a KeyValueStore of strings whose `get` of
// what is not there is an error, as AWS says. A function has no module system, so the two imports become parameters.
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';

const source = readFileSync(process.argv[2], 'utf8');
const body = source.replace(/^import (cf|crypto) from '(cloudfront|crypto)';$/gm, '');
if (/^\s*(import|export)\b|\brequire\(/m.test(body)) {
    throw new Error('only the modules cloudfront and crypto are known there');
}
const load = new Function('cf', 'crypto', 'Date', '"use strict";\n' + body + '\nreturn handler;');

function storeOf({ store, silent }) {
    const asked = key => {
        if (silent) {
            throw new Error('the store does not answer');
        }
        return Object.hasOwn(store, key);
    };
    return {
        exists: async key => asked(key),
        get: async key => {
            if (!asked(key)) {
                throw new Error('KeyNotFound');
            }
            return store[key];
        },
    };
}

const answers = [];
for (const each of JSON.parse(readFileSync(0, 'utf8'))) {
    const handler = load({ kvs: () => storeOf(each) }, crypto, { now: () => each.now_ms });
    answers.push(await handler(each.event));
}
process.stdout.write(JSON.stringify(answers));
