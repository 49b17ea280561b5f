/** HLS in a video element. Loaded when a preview opens. */
import Hls from "hls.js/light";

export interface Player {
  /** Use a fresh play token for the next requests. */
  setToken: (token: string) => void;
  end: () => void;
}

const RETRY_MS = 3_000;

/**
 * Play. The token is a header of each request, never part of an address. `say` receives why there is no picture, and
 * null once there is one. The page's policy allows no worker made of a script's text, so the demuxer has none.
 */
export function play(video: HTMLVideoElement, url: string, token: string, say: (fault: string | null) => void): Player {
  let current = token;
  let retry: number | undefined;
  if (!Hls.isSupported()) {
    say("This browser cannot play HLS by itself. Use the player, or another browser.");
    return { setToken: () => undefined, end: () => undefined };
  }
  // The gateway serves the media and this page. Another name of it would be another origin.
  const { pathname } = new URL(url, location.href);
  const hls = new Hls({
    enableWorker: false,
    xhrSetup: (xhr) => xhr.setRequestHeader("Authorization", `Bearer ${current}`),
  });
  hls.on(Hls.Events.ERROR, (_, { fatal, type, response }) => {
    if (!fatal) return;
    const status = response?.code ? ` (${response.code})` : "";
    if (type === Hls.ErrorTypes.MEDIA_ERROR) {
      say("The picture could not be decoded. It is tried again.");
      hls.recoverMediaError();
      return;
    }
    say(`The gateway gives no media now${status}. It is tried again every ${RETRY_MS / 1000} s.`);
    window.clearTimeout(retry);
    retry = window.setTimeout(() => hls.loadSource(pathname), RETRY_MS);
  });
  hls.on(Hls.Events.FRAG_BUFFERED, () => {
    say(null);
    // A browser may refuse to begin by itself; the controls are there.
    video.play().catch(() => undefined);
  });
  hls.loadSource(pathname);
  hls.attachMedia(video);
  return {
    setToken: (fresh) => (current = fresh),
    end: () => {
      window.clearTimeout(retry);
      hls.destroy();
    },
  };
}
