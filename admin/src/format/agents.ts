/** User agents in a few words. The whole text is shown on demand. */

const PLAYERS: [RegExp, string][] = [
  [/tollcast/i, "Tollcast player"],
  [/\bmpv\b|libmpv/i, "mpv"],
  [/\bVLC\b|LibVLC/, "VLC"],
  [/\bKodi\b/, "Kodi"],
  [/Lavf|ffmpeg|ffplay/i, "FFmpeg"],
  [/AppleCoreMedia/, "Apple player"],
  [/ExoPlayer|Media3/, "Android player"],
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(HeadlessChrome|Chrome|CriOS|Chromium)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
  [/^python|httpx|aiohttp/i, "a Python program"],
  [/^curl/i, "curl"],
];

const SYSTEMS: [RegExp, string][] = [
  [/Apple ?TV|tvOS/i, "Apple TV"],
  [/Web0S|webOS/, "webOS"],
  [/Tizen/, "Tizen"],
  [/iPad/, "iPad"],
  [/iPhone/, "iPhone"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Macintosh|Mac OS X|Darwin/, "Mac"],
  [/Linux|X11/, "Linux"],
];

/** Return what a user agent is, as "Firefox on Windows". One that is not known is shortened. */
export function agentWords(agent: string): string {
  const player = PLAYERS.find(([form]) => form.test(agent))?.[1];
  const system = SYSTEMS.find(([form]) => form.test(agent))?.[1];
  if (!player) return agent.length > 40 ? `${agent.slice(0, 39)}…` : agent || "no agent";
  return system ? `${player} on ${system}` : player;
}
