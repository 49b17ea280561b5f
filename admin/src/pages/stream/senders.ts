/** How to set a sender, with the address and the key of a stream. */
import type { Settings } from "../streams/form/values";

export interface Sender {
  protocol: "RTMP" | "SRT";
  /** What is shown and copied, each with whether it contains the key. */
  values: { name: string; text: string; isSecret: boolean }[];
  obs: string[];
  /** A command for ffmpeg, which contains the key. */
  ffmpeg: string;
}

const ENCODE = "-c:v libx264 -preset veryfast -g 60 -b:v 4M -c:a aac -b:a 160k";

/** Return how to send; null if the stream does not listen. */
export function senderOf({ ingest_address: address }: Settings): Sender | null {
  if (!address) return null;
  if ("server" in address) {
    return {
      protocol: "RTMP",
      values: [
        { name: "Server", text: address.server, isSecret: false },
        { name: "Stream key", text: address.stream_key, isSecret: true },
      ],
      obs: [
        "Settings, Stream: choose the service “Custom”.",
        "Paste Server and Stream Key from here.",
        "Settings, Output: encoder H.264 (not HEVC), keyframe interval 2 s, audio AAC.",
        "Start streaming. The picture is here within seconds.",
      ],
      ffmpeg: `ffmpeg -re -i film.mp4 ${ENCODE} -f flv ${quoted(`${address.server}/${address.stream_key}`)}`,
    };
  }
  return {
    protocol: "SRT",
    values: [{ name: "Server", text: address.url, isSecret: true }],
    obs: [
      "Settings, Stream: choose the service “Custom”.",
      "Paste Server from here, and leave the stream key empty.",
      "Settings, Output: encoder H.264 or HEVC, keyframe interval 2 s, audio AAC.",
      "Start streaming. The picture is here within seconds.",
    ],
    ffmpeg: `ffmpeg -re -i film.mp4 ${ENCODE} -f mpegts ${quoted(address.url)}`,
  };
}

/** Return a text as one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Return a text with the key hidden. */
export function masked(text: string, key: string): string {
  return key ? text.replaceAll(key, "••••••••") : text;
}
