/** The entry: styles, the login of before, and the app. */
import { render } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/components.css";
import "./styles/layout.css";
import { App } from "./app";
import { noteUse } from "./session/token";

for (const input of ["pointerdown", "keydown", "wheel", "touchstart"]) {
  window.addEventListener(input, noteUse, { passive: true, capture: true });
}
const host = document.getElementById("app");
if (host) render(<App />, host);
