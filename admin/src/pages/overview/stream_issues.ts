/** The open issues of live streams, read in turns so that a round has a bounded number of requests. */
import type { Issue, Stream } from "./problems";

/** Streams whose issues are read in one round, and how many at a time. */
export const ROUND_MAX = 12;
const AT_ONCE = 4;

/** Return the streams to read in this round: those that are down first, the others in turns. */
export function roundOf(live: readonly Stream[], turn: number, max = ROUND_MAX): Stream[] {
  const down = live.filter((each) => each.state !== "live").slice(0, Math.ceil(max / 2));
  const others = live.filter((each) => !down.includes(each));
  const room = Math.min(max - down.length, others.length);
  return [...down, ...Array.from({ length: room }, (_, n) => others[(turn * room + n) % others.length] as Stream)];
}

/** Reads rounds, and remembers what earlier ones have found. */
export class IssueRounds {
  private turn = 0;
  private found = new Map<string, readonly Issue[]>();

  constructor(private readonly load: (streamId: string, signal: AbortSignal) => Promise<readonly Issue[]>) {}

  /** Return the issues by stream. A stream that was not read yet is missing. */
  async next(streams: readonly Stream[], signal: AbortSignal): Promise<ReadonlyMap<string, readonly Issue[]>> {
    const live = streams.filter((each) => each.desired_state === "live");
    const waiting = roundOf(live, this.turn);
    this.turn += 1;
    const known = new Map(live.flatMap(({ stream_id: id }) => (this.found.has(id) ? [[id, this.found.get(id) ?? []]] : [])));
    const one = async (): Promise<void> => {
      for (let stream = waiting.shift(); stream; stream = waiting.shift()) {
        known.set(stream.stream_id, await this.load(stream.stream_id, signal));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    this.found = known;
    return known;
  }
}
