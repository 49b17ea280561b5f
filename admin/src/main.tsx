/** The entry: styles, the login of before, and the app. */
import { render } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/components.css";
import "./styles/layout.css";
import { App } from "./app";
import { notify } from "./actions/notices";
import { noteUse } from "./session/token";

for (const input of ["pointerdown", "keydown", "wheel", "touchstart"]) {
  window.addEventListener(input, noteUse, { passive: true, capture: true });
}
// A part that is loaded later may be gone when a newer version is served, or the network may fail.
window.addEventListener("vite:preloadError", () => {
  notify({ kind: "failed", title: "A part of this page could not be loaded", text: "The network failed, or a newer version is served. Reload the page." });
});
const host = document.getElementById("app");
if (host) render(<App />, host);
