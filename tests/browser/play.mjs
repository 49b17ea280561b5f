// Plays a stream of the real gateway in headless Chromium, switches the rendition, and prints its observations as JSON.
//
//   node play.mjs <gateway's address> <path of the playlist> <Chromium> <empty directory for its profile>
//
// Play tokens come on standard input, one a line, so that no process list shows them. The newest one is used.
// The gateway must not send CORS headers. So a small server here serves the page and forwards /play/ from one origin.
import { createReadStream } from "node:fs";
import { createServer, request } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
];
const WAIT_MS = 60_000;
const PLAY_S = 5;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const FILES = {
  "/": [here("page.html"), "text/html"],
  "/hls.js": [here("node_modules/hls.js/dist/hls.min.js"), "text/javascript"],
};

function serve(gateway) {
  const server = createServer((asked, answer) => {
    const [file, type] = FILES[asked.url] ?? [];
    if (file) {
      answer.writeHead(200, { "content-type": type });
      createReadStream(file).pipe(answer);
    } else if (asked.url.startsWith("/play/")) {
      const { host, origin, referer, ...headers } = asked.headers;
      const passed = request(new URL(asked.url, gateway), { method: asked.method, headers }, (found) => {
        answer.writeHead(found.statusCode, found.headers);
        found.pipe(answer);
      });
      passed.on("error", () => answer.destroy());
      asked.pipe(passed);
    } else {
      answer.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

async function until(page, what, condition, argument) {
  try {
    await page.waitForFunction(condition, argument, { timeout: WAIT_MS, polling: 100 });
  } catch (error) {
    const seen = JSON.stringify(await page.evaluate(() => window.player.seen()));
    throw new Error(`within ${WAIT_MS / 1000} s there was no ${what}: ${seen} (${error.message})`);
  }
  return page.evaluate(() => window.player.seen());
}

async function follow(page, tokens) {
  for await (const token of tokens) await page.evaluate((fresh) => window.player.renew(fresh), token).catch(() => {});
}

async function play(page, address, path, tokens) {
  await page.goto(address);
  await page.evaluate((token) => window.player.renew(token), (await tokens.next()).value);
  follow(page, tokens);
  await page.evaluate((url) => window.player.start(url), path);
  await until(page, "picture", () => window.player.seen().position > 0);
  const first = await page.evaluate(() => window.player.seen());
  const goal = first.position + PLAY_S;
  const before = await until(page, "playback", (position) => window.player.seen().position > position, goal);
  await page.evaluate(() => window.player.switchTo(0));
  await until(page, "switch", () => window.player.seen().switched.at(-1) === 0);
  const after = await until(page, "other picture", (height) => window.player.seen().height !== height, before.height);
  // It continues in the other rendition.
  const end = await until(page, "more", (position) => window.player.seen().position > position, after.position + 1);
  return { first, before, after, end };
}

const [gateway, path, executablePath, profile] = process.argv.slice(2);
const tokens = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const server = await serve(gateway);
let browser;
try {
  browser = await chromium.launchPersistentContext(profile, { executablePath, args: FLAGS, headless: true });
  const page = browser.pages()[0] ?? await browser.newPage();
  console.log(JSON.stringify(await play(page, `http://127.0.0.1:${server.address().port}/`, path, tokens)));
} finally {
  await browser?.close();
  server.closeAllConnections();
  server.close();
  process.stdin.destroy();
}
