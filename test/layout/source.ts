/** The source as data: every file with its imports, read by TypeScript's own parser. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

/** From the lowest to the highest: a room imports only what stands before it. */
export const ROOMS = [
  "onnx",
  "autodiff",
  "models",
  "images",
  "datasets",
  "classifier",
  "evaluation",
  "training",
  "studies",
  "pacs",
  "server",
  "demo",
  "cli",
] as const;

export interface SourceImport {
  /** As written. */
  readonly specifier: string;
  /** Path of the file in this project, from the root; null for a package. */
  readonly target: string | null;
  /** Erased by the compiler, so that nothing is loaded. */
  readonly isTypeOnly: boolean;
}

export interface SourceFile {
  /** From the root of the project, with "/". */
  readonly path: string;
  /** The folder under src, or null for a file directly in src. */
  readonly room: string | null;
  readonly lines: number;
  readonly imports: readonly SourceImport[];
  readonly hasDefaultExport: boolean;
  /** Names of Node's own globals that the code uses. */
  readonly nodeGlobals: readonly string[];
}

/** Every source file below `src`, tests left out. */
export function readSource(): SourceFile[] {
  return readdirSync("src", { recursive: true, encoding: "utf8" })
    .map((name) => join("src", name).replaceAll("\\", "/"))
    .filter((path) => /\.tsx?$/.test(path) && !path.includes(".test."))
    .sort()
    .map((path) => parseSource(path, readFileSync(path, "utf8")));
}

const NODE_GLOBALS = new Set(["Buffer", "process", "global", "require", "__dirname", "__filename"]);

export function parseSource(path: string, text: string): SourceFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const imports: SourceImport[] = [];
  const nodeGlobals = new Set<string>();
  let hasDefaultExport = false;
  const add = (specifier: ts.Node | undefined, isTypeOnly: boolean) => {
    if (!specifier || !ts.isStringLiteral(specifier)) return;
    const { text: name } = specifier;
    const target = name.startsWith(".") ? posix.join(posix.dirname(path), name) : null;
    imports.push({ specifier: name, target, isTypeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isErasedImport(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, isErasedExport(node));
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    else if (ts.isExportAssignment(node)) hasDefaultExport = true;
    else if (ts.isExportSpecifier(node) && node.name.text === "default") hasDefaultExport = true;
    else if (ts.isIdentifier(node) && NODE_GLOBALS.has(node.text)) nodeGlobals.add(node.text);
    if (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node))
      hasDefaultExport = true;
    // A member that happens to be called "process" is nobody's global.
    if (ts.isPropertyAccessExpression(node)) visit(node.expression);
    else ts.forEachChild(node, visit);
  };
  visit(tree);
  return {
    path,
    room: path.match(/^src\/([^/]+)\//)?.[1] ?? null,
    lines: text.split("\n").length - 1,
    imports,
    hasDefaultExport,
    nodeGlobals: [...nodeGlobals],
  };
}

function isErasedImport(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const { name, namedBindings } = clause;
  if (name || !namedBindings || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly);
}

function isErasedExport({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true;
  if (!exportClause || !ts.isNamedExports(exportClause)) return false;
  return exportClause.elements.every((element) => element.isTypeOnly);
}
