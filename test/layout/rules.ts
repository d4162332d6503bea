/**
 * The rules of the house plan as a table: each takes the source files and returns what is wrong in
 * words. layout.test.ts runs them over src, and over small wrong sources that each has to refuse.
 */
import { ROOMS, type SourceFile } from "./source.ts";

export interface LayoutRule {
  readonly name: string;
  find(files: readonly SourceFile[]): string[];
}

/** Rooms that run in a browser, but for their files called *.node.ts. */
const BROWSER_SAFE_ROOMS = ["onnx", "autodiff", "models", "classifier"];
/** Files outside of rooms that run in a browser. */
const BROWSER_SAFE_FILES = ["src/errors.ts", "src/random.ts", "src/version.ts"];
const BROWSER_SAFE_PACKAGES = ["@bufbuild/protobuf", "@bufbuild/protobuf/codegenv2"];

/** What other rooms may import of a room. */
const DOORS = ["index.ts", "index.node.ts", "index.portable.ts"];

const LONGEST = 400;
/** Files that may be longer, with the reason. */
const LONG_FILES: Readonly<Record<string, string>> = {
  "src/onnx/generated/onnx_pb.ts": "generated from onnx.proto",
};

const rank = (room: string): number => (ROOMS as readonly string[]).indexOf(room);
const roomOf = (path: string): string | null => path.match(/^src\/([^/]+)\//)?.[1] ?? null;

/** Imports that lead from one room into another. */
function crossings(files: readonly SourceFile[]) {
  return files.flatMap(({ path, room, imports }) =>
    imports.flatMap(({ target }) => {
      const other = target === null ? null : roomOf(target);
      return target !== null && other !== null && other !== room
        ? [{ path, room, target, other }]
        : [];
    }),
  );
}

const isBrowserSafe = ({ path, room }: SourceFile): boolean =>
  BROWSER_SAFE_FILES.includes(path) ||
  path.endsWith("/index.portable.ts") ||
  (room !== null && BROWSER_SAFE_ROOMS.includes(room) && !path.endsWith(".node.ts"));

/** Of a browser-safe file's code, all that it loads, and where that needs Node. */
function nodeNeeds(start: SourceFile, byPath: ReadonlyMap<string, SourceFile>): string[] {
  const seen = new Set<string>();
  const problems: string[] = [];
  const walk = (file: SourceFile, via: readonly string[]): void => {
    if (seen.has(file.path)) return;
    seen.add(file.path);
    const chain = [...via, file.path];
    for (const name of file.nodeGlobals) problems.push(`${chain.join(" -> ")} uses ${name}`);
    for (const { specifier, target, isTypeOnly } of file.imports) {
      if (isTypeOnly) continue;
      const next = target === null ? undefined : byPath.get(target);
      if (next) walk(next, chain);
      else if (target?.endsWith(".node.ts"))
        problems.push(`${chain.join(" -> ")} imports ${target}`);
      else if (target === null && !BROWSER_SAFE_PACKAGES.includes(specifier))
        problems.push(`${chain.join(" -> ")} imports ${specifier}`);
    }
  };
  walk(start, []);
  return problems;
}

/** One cycle among the edges, as the names along it; undefined where there is none. */
function cycleOf(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): string[] | undefined => {
    const at = path.indexOf(name);
    if (at >= 0) return [...path.slice(at), name];
    if (done.has(name)) return undefined;
    for (const next of edges.get(name) ?? []) {
      const cycle = walk(next, [...path, name]);
      if (cycle) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of edges.keys()) {
    const cycle = walk(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}

function edgesOf(pairs: readonly (readonly [string, string])[]): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>();
  for (const [from, to] of pairs) edges.set(from, (edges.get(from) ?? new Set()).add(to));
  return edges;
}

function cycles(pairs: readonly (readonly [string, string])[]): string[] {
  const cycle = cycleOf(edgesOf(pairs));
  return cycle ? [cycle.join(" -> ")] : [];
}

export const LAYOUT_RULES: readonly LayoutRule[] = [
  {
    name: "every folder of src is a room of the plan",
    find: (files) =>
      files.flatMap(({ path, room }) =>
        room !== null && rank(room) < 0 ? [`${path}: "${room}" is no room`] : [],
      ),
  },
  {
    name: "rooms import one another in no cycle",
    find: (files) =>
      cycles(
        crossings(files).flatMap(({ room, other }) =>
          room === null ? [] : [[room, other] as const],
        ),
      ),
  },
  {
    name: "files load one another in no cycle",
    find: (files) =>
      cycles(
        files.flatMap(({ path, imports }) =>
          imports.flatMap(({ target, isTypeOnly }) =>
            target === null || isTypeOnly ? [] : [[path, target] as const],
          ),
        ),
      ),
  },
  {
    name: "a room imports only rooms above it in the plan",
    find: (files) =>
      crossings(files).flatMap(({ path, room, target, other }) =>
        room !== null && rank(other) > rank(room) ? [`${path} imports ${target}`] : [],
      ),
  },
  {
    name: "only the command line imports the demo",
    find: (files) =>
      crossings(files).flatMap(({ path, room, target, other }) =>
        other === "demo" && room !== "cli" ? [`${path} imports ${target}`] : [],
      ),
  },
  {
    name: "files outside of rooms import no room, but for the package's door",
    find: (files) =>
      crossings(files).flatMap(({ path, room, target }) =>
        room === null && path !== "src/index.ts" ? [`${path} imports ${target}`] : [],
      ),
  },
  {
    name: "a room is imported through its door only",
    find: (files) =>
      crossings(files).flatMap(({ path, target, other }) =>
        DOORS.some((door) => target === `src/${other}/${door}`)
          ? []
          : [`${path} imports ${target}`],
      ),
  },
  {
    name: "what runs in a browser loads nothing of Node",
    find: (files) => {
      const byPath = new Map(files.map((file) => [file.path, file]));
      return files.filter(isBrowserSafe).flatMap((file) => nodeNeeds(file, byPath));
    },
  },
  {
    name: "nothing is exported as default",
    find: (files) =>
      files.flatMap(({ path, hasDefaultExport }) => (hasDefaultExport ? [path] : [])),
  },
  {
    name: `a file over ${LONGEST} lines is listed with its reason`,
    find: (files) =>
      files.flatMap(({ path, lines }) =>
        lines > LONGEST && !(path in LONG_FILES) ? [`${path}: ${lines} lines`] : [],
      ),
  },
  {
    name: "no file or folder is named after nothing in particular",
    find: (files) =>
      files.flatMap(({ path }) =>
        /\/(utils?|helpers?|common|types|misc)(\/|\.)/.test(path) ? [path] : [],
      ),
  },
];
