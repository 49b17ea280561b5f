/** Bounds of a stream's settings. A test compares them with the API's document. */
export const TITLE_CHARS_MAX = 120;
export const STREAM_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const SOURCE_CHARS_MAX = 1_000;
export const BACKUPS_MAX = 3;
export const PORT = { min: 1_024, max: 65_535 };
export const PROGRAM = { min: 1, max: 65_535 };
export const AUDIO_TRACK = { min: 1, max: 32 };
export const SEGMENT_SECONDS = { min: 1, max: 10 };
export const WINDOW_MINUTES = { min: 1, max: 720 };
export const LEASE_MS = { min: 5_000, max: 60_000 };
export const RATE = { min: 0, max: 1_000_000_000 };
export const VIEWERS_MAX = { min: 0, max: 1_000_000 };
export const FROZEN_AFTER_S = { min: 10, max: 3_600 };
export const FPS_MAX = { min: 10, max: 60 };
export const RENDITIONS_MAX = 6;
export const PROFILES = ["hd", "full", "sd", "source", "custom"] as const;

/** The API's rules for a custom ladder, which its document has in words only. */
export const LADDER = {
  name: /^[a-z0-9]{1,16}$/,
  width: { min: 64, max: 3_840 },
  height: { min: 36, max: 2_160 },
  video_bps: { min: 100_000, max: 30_000_000 },
  audio_bps: { min: 32_000, max: 320_000 },
};
/** `fps_max` of every profile but `custom`. */
export const FPS_MAX_DEFAULT = 30;
/** As many segments a playlist may have (2 MB, 128 bytes each). Copied sources are cut up to every 0.25 s. */
export const ENTRIES_MAX = 15_625;
export const COPIED_SEGMENT_S_MIN = 0.25;
