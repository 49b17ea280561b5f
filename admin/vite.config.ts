/** Build of the dashboard. In development, Vite passes the API's paths to the platform at `TOLLCAST_PORT`. */
import { defineConfig } from "vite";

const platform = `http://127.0.0.1:${process.env["TOLLCAST_PORT"] ?? "8080"}`;
const API = "^/(auth|me|users|wallets|payments|money|streams|sessions|playback|play|blocks|workers|reconciliation|audit|monitoring|service-keys|healthz|openapi\\.json)\\b";

export default defineConfig({
  base: "/admin/",
  build: { target: "es2022", outDir: "dist", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { host: "127.0.0.1", strictPort: true, proxy: { [API]: { target: platform } } },
});
