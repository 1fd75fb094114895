import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const COMPRESSED = /\.(js|css|html|svg|json)$/;

/** Beside each text file its .gz and .br, so that the server never compresses the page. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "clew-compressed",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!COMPRESSED.test(name) || name === "index.html") continue; // the server fills in index.html
        const file = join(folder, name);
        const bytes = readFileSync(file);
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
      }
    },
  };
}

export default defineConfig({
  base: "./", // the page is served below any path: index.html carries a <base>
  plugins: [react(), compressed()],
  build: {
    assetsDir: "static",
    assetsInlineLimit: 0, // the CSP allows no data: fonts
    target: "es2023",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: "manifest.json",
    license: { fileName: "licenses.md" },
  },
  worker: { format: "es" },
  server: {
    proxy: { "/api": process.env.CLEW_URL ?? "http://127.0.0.1:16686" },
  },
});
