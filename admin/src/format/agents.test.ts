import { expect, test } from "vitest";
import { agentWords } from "./agents";

test("agents are said in words", () => {
  const said: [string, string][] = [
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0", "Edge on Windows"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Linux"],
    ["Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Mobile Safari/537.36", "Chrome on Android"],
    ["tollcast/1.0 (Linux)", "Tollcast player on Linux"],
    ["VLC/3.0.21 LibVLC/3.0.21", "VLC"],
    ["", "no agent"],
    ["something else", "something else"],
  ];
  for (const [agent, words] of said) expect(agentWords(agent)).toBe(words);
});

test("a long agent that is not known is shortened", () => {
  expect(agentWords("x".repeat(300))).toHaveLength(40);
});
