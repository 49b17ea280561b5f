import { expect, test } from "vitest";
import { faultsOf, sourceFaults, windowFault } from "./check";
import { NEW_STREAM, newSource, requestOf, sourceOf, valuesOf, type FormValues, type Settings } from "./values";

const good: FormValues = { ...NEW_STREAM, title: "Films" };
const fields = (changes: Partial<FormValues>): string[] => Object.keys(faultsOf({ ...good, ...changes }, true)).sort();

test("a title is all that a test picture needs", () => {
  expect(faultsOf(NEW_STREAM, true)).toEqual({ title: "Give the stream a title." });
  expect(fields({})).toEqual([]);
  expect(fields({ title: "x".repeat(121) })).toEqual(["title"]);
  expect(fields({ title: "a\u202eb" })).toEqual(["title"]);
  expect(fields({ streamId: "Films" })).toEqual(["stream_id"]);
  expect(fields({ streamId: "films-1" })).toEqual([]);
});

test("each source needs its own field", () => {
  expect(sourceFaults(newSource("test"))).toEqual({});
  expect(Object.keys(sourceFaults(newSource("file")))).toEqual(["path"]);
  expect(Object.keys(sourceFaults(newSource("pull")))).toEqual(["url"]);
  expect(Object.keys(sourceFaults(newSource("srt")))).toEqual(["port"]);
  expect(sourceFaults(newSource("rtmp"))).toEqual({});
  for (const path of ["/a", "a/", "a//b", ".a", "a/../b"]) expect(sourceFaults({ ...newSource("file"), path })).toHaveProperty("path");
  expect(sourceFaults({ ...newSource("file"), path: "films/Über uns.mp4" })).toEqual({});
  for (const url of ["http://a.example/x", "a.example", "https://", "https://a b"]) expect(sourceFaults({ ...newSource("pull"), url })).toHaveProperty("url");
  expect(sourceFaults({ ...newSource("srt"), port: "80" })).toHaveProperty("port");
});

test("one source may listen", () => {
  expect(fields({ ingest: newSource("rtmp"), backups: [{ ...newSource("srt"), port: "9000" }] })).toEqual(["backups.0.mode"]);
  expect(fields({ ingest: newSource("rtmp"), backups: [newSource("test")] })).toEqual([]);
});

test("settings that do not go together are named", () => {
  expect(fields({ profile: "source" })).toEqual(["abr_profile"]);
  const pulled = { ...newSource("pull"), url: "https://a.example/x.m3u8" };
  expect(fields({ profile: "source", ingest: pulled })).toEqual([]);
  expect(fields({ profile: "source", ingest: pulled, frozenAfterS: "30" })).toEqual(["frozen_after_s"]);
  expect(fields({ frozenAfterS: "5" })).toEqual(["frozen_after_s"]);
  expect(fields({ latency: "low" })).toEqual(["segment_seconds"]);
  expect(fields({ latency: "low", segmentSeconds: "1" })).toEqual([]);
  expect(fields({ price: "-1" })).toEqual(["rate_millipoints_per_minute"]);
  expect(fields({ leaseS: "4" })).toEqual(["lease_ms"]);
  expect(fields({ viewersMax: "1.5" })).toEqual(["viewers_max"]);
});

test("a window fits its playlist", () => {
  expect(windowFault(520, 2, false)).toBeNull();
  expect(windowFault(521, 2, false)).toContain("520 minutes");
  expect(windowFault(65, 10, true)).toBeNull();
  expect(windowFault(66, 10, true)).toContain("65 minutes");
});

test("a ladder is ordered, its names differ", () => {
  const row = { name: "a", width: "640", height: "360", videoKbps: "700", audioKbps: "96" };
  expect(fields({ profile: "custom", ladder: [] })).toEqual(["custom_renditions"]);
  expect(fields({ profile: "custom", ladder: [row, { ...row, name: "b" }] })).toEqual(["custom_renditions.1.video_bps"]);
  expect(fields({ profile: "custom", ladder: [row, { ...row, videoKbps: "500" }] })).toEqual(["custom_renditions.1.name"]);
  expect(fields({ profile: "custom", ladder: [{ ...row, width: "641" }] })).toEqual(["custom_renditions.0.width"]);
  expect(fields({ profile: "custom", ladder: [{ ...row, name: "source" }] })).toEqual(["custom_renditions.0.name"]);
  expect(fields({ profile: "hd", ladder: [{ ...row, name: "source" }] })).toEqual([]);
});

test("values become the API's fields", () => {
  const request = requestOf({ ...good, price: "12.5", leaseS: "7.5", ingest: { ...newSource("srt"), port: " 9000 ", program: "2" } });
  expect(request).toMatchObject({ rate_millipoints_per_minute: 12_500, lease_ms: 7_500, custom_renditions: [], fps_max: 30 });
  expect(request.ingest).toEqual({ mode: "listen", protocol: "srt", port: 9000, program: 2, audio_track: null, url: null, path: null });
  expect(sourceOf({ ...newSource("test"), url: "https://left.example", program: "3" })).toEqual({ mode: "test", url: null, path: null, protocol: null, port: null, program: null, audio_track: null });
});

test("a stream's values give the same request", () => {
  const request = requestOf({ ...good, profile: "custom", fpsMax: "50", backups: [{ ...newSource("file"), path: "a.mp4", audioTrack: "2" }] });
  expect(requestOf(valuesOf({ ...request, stream_id: "films" } as unknown as Settings))).toEqual(request);
});
