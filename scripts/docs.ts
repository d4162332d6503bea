/** Writes the pages of docs/ that come from tables. */
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { GRADIENT_RULES, parameterNames } from "../src/autodiff/index.ts";
import { ERROR_CODES, ERROR_KINDS } from "../src/errors.ts";
import { IMAGE_FORMATS } from "../src/images/index.ts";
import { BACKBONES, type BackboneEntry, NETWORKS } from "../src/models/index.ts";
import { graphBuilder, INFERABLE_OPERATORS, sizeOf } from "../src/onnx/index.ts";

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

/** From the tables of gradient rules, shape rules, networks, backbones and image formats. */
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

## Networks trained from nothing

| \`--model\` | | side | |
| --- | --- | --- | --- |
${NETWORKS.map(({ name, title, summary, recipe }) => `| \`${name}\` | ${title} | ${recipe.size} | ${summary} |`).join("\n")}

## Backbones, for weights trained on ImageNet

Graphs of the publishers' own layers and names of parameters; outputs equal those of another implementation on equal
weights. Parameters include the publisher's top of 1000 classes.

| name | | side | parameters | features | pixels become | |
| --- | --- | --- | --- | --- | --- | --- |
${BACKBONES.map(backboneRow).join("\n")}

## Images

Read: ${listed(IMAGE_FORMATS.filter(({ decoder }) => decoder).map(({ name }) => name))}, grey or colour, 8 or 16 bit.

Recognised and refused by name: ${listed(IMAGE_FORMATS.filter(({ decoder }) => !decoder).map(({ name }) => name))}.
`;
}

function backboneRow(entry: BackboneEntry): string {
  const { name, title, summary, size, preprocessing } = entry;
  const { order, mean, deviation } = preprocessing;
  const builder = graphBuilder();
  const { features, top } = entry.build({ seed: 0 });
  const map = features(builder.input("x", "float32", [1, 3, size, size]));
  builder.output(top(map), "logits");
  const graph = builder.build();
  const count = parameterNames(graph).reduce(
    (sum, one) => sum + sizeOf(graph.initializers.get(one)!.dims),
    0,
  );
  const numbers = (values: readonly number[]) =>
    new Set(values).size === 1 ? `${values[0]}` : `(${values.map((one) => +one.toFixed(3))})`;
  const pixels = `${order}, (p - ${numbers(mean)}) / ${numbers(deviation)}`;
  const shape = map.shape.slice(1).join(" x ");
  return `| \`${name}\` | ${title} | ${size} | ${count.toLocaleString("en")} | ${shape} | ${pixels} | ${summary} |`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  for (const [path, page] of Object.entries(PAGES)) writeFileSync(path, page());
