import { expect, test } from "vitest";
import type { Settings } from "../streams/form/values";
import { masked, quoted, senderOf } from "./senders";

const stream = (ingest_address: Settings["ingest_address"]): Settings => ({ ingest_key: "secret", ingest_address }) as Settings;

test("a stream that does not listen has no sender", () => {
  expect(senderOf(stream(null))).toBeNull();
});

test("RTMP has a server and a key, SRT one address", () => {
  const rtmp = senderOf(stream({ server: "rtmp://h:1935/live", stream_key: "films?key=secret" }));
  expect(rtmp?.values.map((each) => each.isSecret)).toEqual([false, true]);
  expect(rtmp?.ffmpeg).toContain("-f flv 'rtmp://h:1935/live/films?key=secret'");
  const srt = senderOf(stream({ url: "srt://h:9000?mode=caller&passphrase=secret" }));
  expect(srt?.values).toEqual([{ name: "Server", text: "srt://h:9000?mode=caller&passphrase=secret", isSecret: true }]);
  expect(srt?.ffmpeg).toContain("-f mpegts 'srt://h:9000");
});

test("the key is hidden wherever it is", () => {
  expect(masked("a secret, and secret", "secret")).toBe("a ••••••••, and ••••••••");
  expect(masked("a", "")).toBe("a");
  expect(quoted("it's")).toBe("'it'\\''s'");
});
