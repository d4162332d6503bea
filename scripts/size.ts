/** Prints lines of source per room, the ten longest files, and the change against another commit. */
import { execFileSync } from "node:child_process";
import { ROOMS, readSource, type SourceFile } from "../test/layout/source.ts";

const base = process.argv[2] ?? "main";

const isOurs = ({ path }: SourceFile): boolean => !path.includes("/generated/");
const files = readSource().filter(isOurs);
const before = linesAt(base);

const total = (paths: Iterable<string>, lines: (path: string) => number): number =>
  [...paths].reduce((sum, path) => sum + lines(path), 0);
const now = new Map(files.map(({ path, lines }) => [path, lines]));
const row = (name: string, isPart: (path: string) => boolean): string => {
  const lines = total([...now.keys()].filter(isPart), (path) => now.get(path)!);
  const old = before && total([...before.keys()].filter(isPart), (path) => before.get(path)!);
  const change = old === undefined ? "" : signed(lines - old);
  return `${name.padEnd(44)}${String(lines).padStart(7)}${change.padStart(8)}`;
};
const signed = (change: number): string => (change > 0 ? `+${change}` : String(change));

console.log(row("src", () => true));
for (const room of ROOMS.filter((name) => files.some((file) => file.room === name)))
  console.log(row(`  ${room}`, (path) => path.startsWith(`src/${room}/`)));
console.log(row("  outside of rooms", (path) => /^src\/[^/]+$/.test(path)));
console.log("\nlongest files");
for (const { path } of [...files].sort((a, b) => b.lines - a.lines).slice(0, 10))
  console.log(row(`  ${path}`, (other) => other === path));
if (!before) console.log(`\nNo change is shown: git knows no "${base}" here.`);

/** Lines of each source file at a commit; undefined where git cannot tell. */
function linesAt(commit: string): Map<string, number> | undefined {
  try {
    const counted = execFileSync("git", ["grep", "-c", "", commit, "--", "src"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return new Map(
      counted
        .trim()
        .split("\n")
        .map((line) => line.slice(commit.length + 1))
        .map((line): [string, number] => [
          line.slice(0, line.lastIndexOf(":")),
          Number(line.slice(line.lastIndexOf(":") + 1)),
        ])
        .filter(([path]) => /\.tsx?$/.test(path) && !/\.test\.|\/generated\//.test(path)),
    );
  } catch {
    return undefined;
  }
}
