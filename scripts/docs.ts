/** Writes the pages of docs/ that come from tables. */
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { GRADIENT_RULES } from "../src/autodiff/index.ts";
import { ERROR_CODES, ERROR_KINDS } from "../src/errors.ts";
import { IMAGE_FORMATS } from "../src/images/index.ts";
import { INFERABLE_OPERATORS } from "../src/onnx/index.ts";

/** What each page says now, by its path. */
export const PAGES: Readonly<Record<string, () => string>> = {
  "docs/errors.md": errorsPage,
  "docs/supported.md": supportedPage,
};

/** From the table of codes. */
function errorsPage(): string {
  const kinds = Object.entries(ERROR_KINDS).map(
    ([kind, { exitCode, httpStatus }]) => `| ${kind} | ${exitCode} | ${httpStatus} |`,
  );
  const codes = Object.entries(ERROR_CODES)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { kind, summary }]) => `| \`${code}\` | ${kind} | ${summary} |`);
  return `# Errors

Everything that Hilum throws on purpose is a \`HilumError\` with a stable \`code\`, the \`kind\` of the code, a one-line
\`message\` (what is wrong, with which thing, what to do) and \`details\` as data. Under \`--json\` a command that fails
prints \`{"error": {code, kind, message, details}}\`. Made from the table in src/errors.ts by \`npm run docs\`.

| kind | exit code | HTTP status |
| --- | --- | --- |
${kinds.join("\n")}

\`predict\` also exits with 2 when some films cannot be read, after reading the others.

| code | kind | meaning |
| --- | --- | --- |
${codes.join("\n")}
`;
}

/** From the tables of gradient rules, shape rules and image formats. */
function supportedPage(): string {
  const listed = (names: Iterable<string>) => [...new Set(names)].toSorted().join(", ");
  const withGradient = new Set(Object.keys(GRADIENT_RULES));
  const withShape = [...INFERABLE_OPERATORS].filter((name) => !withGradient.has(name));
  return `# What is supported

Made from the tables in the source by \`npm run docs\`.

## ONNX operators

Any valid ONNX file is read and written again without loss, whatever its operators. Training needs a gradient rule for
each operator that a gradient has to pass.

With a gradient rule (${withGradient.size}; it gives zero for ArgMax, Floor and their like): ${listed(withGradient)}.

Without one, but with typed shapes (${withShape.length}): ${listed(withShape)}.

## Images

Read: ${listed(IMAGE_FORMATS.filter(({ decoder }) => decoder).map(({ name }) => name))}, grey or colour, 8 or 16 bit.

Recognised and refused by name: ${listed(IMAGE_FORMATS.filter(({ decoder }) => !decoder).map(({ name }) => name))}.
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  for (const [path, page] of Object.entries(PAGES)) writeFileSync(path, page());
