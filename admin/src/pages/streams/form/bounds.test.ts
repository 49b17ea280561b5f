import { expect, test } from "vitest";
import api from "../../../../openapi.json";
import * as bounds from "./bounds";

const { CreateStreamRequest, IngestModel } = api.components.schemas;
const fields = CreateStreamRequest.properties;
const range = ({ minimum, maximum }: { minimum: number; maximum: number }) => ({ min: minimum, max: maximum });

test("bounds are those of the API", () => {
  expect(bounds.TITLE_CHARS_MAX).toBe(fields.title.maxLength);
  expect(bounds.BACKUPS_MAX).toBe(fields.backups.maxItems);
  expect(bounds.SEGMENT_SECONDS).toEqual(range(fields.segment_seconds));
  expect(bounds.WINDOW_MINUTES).toEqual(range(fields.window_minutes));
  expect(bounds.LEASE_MS).toEqual(range(fields.lease_ms));
  expect(bounds.RATE).toEqual(range(fields.rate_millipoints_per_minute));
  expect(bounds.VIEWERS_MAX).toEqual(range(fields.viewers_max));
  expect(bounds.FPS_MAX).toEqual(range(fields.fps_max));
  expect(bounds.FPS_MAX_DEFAULT).toBe(fields.fps_max.default);
  expect([...bounds.PROFILES].sort()).toEqual([...fields.abr_profile.enum].sort());
  expect(fields.frozen_after_s.anyOf).toContainEqual({ minimum: bounds.FROZEN_AFTER_S.min, maximum: bounds.FROZEN_AFTER_S.max });
  expect(fields.custom_renditions.anyOf[0]).toMatchObject({ maxItems: bounds.RENDITIONS_MAX });
  expect(fields.stream_id.anyOf[0]).toMatchObject({ pattern: "^(?:[a-z0-9][a-z0-9-]{0,62})$" });
});

test("bounds of sources are those of the API", () => {
  const source = IngestModel.properties;
  expect(source.url.anyOf[0]).toMatchObject({ maxLength: bounds.SOURCE_CHARS_MAX });
  expect(source.path.anyOf[0]).toMatchObject({ maxLength: bounds.SOURCE_CHARS_MAX });
  expect(source.port.anyOf[0]).toMatchObject({ minimum: bounds.PORT.min, maximum: bounds.PORT.max });
  expect(source.program.anyOf[0]).toMatchObject({ minimum: bounds.PROGRAM.min, maximum: bounds.PROGRAM.max });
  expect(source.audio_track.anyOf[0]).toMatchObject({ minimum: bounds.AUDIO_TRACK.min, maximum: bounds.AUDIO_TRACK.max });
});
