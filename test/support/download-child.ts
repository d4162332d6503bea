/** Downloads as its own process: node download-child.ts URL PATH BYTES SHA256 */
import { download } from "../../src/models/weights/download.node.ts";

const [url, path, bytes, value] = process.argv.slice(2);
await download({
  url: url!,
  path: path!,
  bytes: Number(bytes),
  digest: { algorithm: "sha256", value: value! },
  onProgress: ({ done }) => process.stdout.write(`${done}\n`),
  onWait: (pid) => process.stdout.write(`waits for ${pid}\n`),
});
process.stdout.write("done\n");
