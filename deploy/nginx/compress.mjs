// Compresses text files of a build ahead of time, beside them: compress.mjs FOLDER. A file that does
// not get smaller has none.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [folder] = process.argv.slice(2);
const text = /\.(js|css|svg|html|webmanifest|json)$/;
for (const name of readdirSync(folder, { recursive: true })) {
  if (!text.test(name)) continue;
  const path = join(folder, name);
  const content = readFileSync(path);
  const params = {
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  const packed = { gz: gzipSync(content, { level: 9 }), br: brotliCompressSync(content, { params }) };
  for (const [suffix, bytes] of Object.entries(packed)) {
    if (bytes.length < content.length) writeFileSync(`${path}.${suffix}`, bytes);
  }
}
