/** Writes the pages of docs/ that come from tables. */
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { ERROR_CODES, ERROR_KINDS } from "../src/errors.ts";

export const ERRORS_PAGE = "docs/errors.md";

/** docs/errors.md, from the table of codes. */
export function errorsPage(): string {
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

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  writeFileSync(ERRORS_PAGE, errorsPage());
