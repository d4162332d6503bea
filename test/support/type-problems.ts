/** What TypeScript says against some files of a program; checking all that they import takes a minute. */
import ts from "typescript";

/** One line for each problem in the program's files that are chosen; throws where none is. */
export function typeProblems(
  roots: readonly string[],
  options: ts.CompilerOptions,
  isChosen: (file: string) => boolean,
): string[] {
  const program = ts.createProgram(roots, { ...options, noEmit: true });
  const chosen = program.getSourceFiles().filter(({ fileName }) => isChosen(fileName));
  if (chosen.length < roots.length) throw new Error(`of ${roots} not all were chosen`);
  return chosen
    .flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ])
    .map(({ file, start = 0, messageText }) => {
      const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
      return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
}
