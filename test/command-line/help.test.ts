/** Update the texts with: npx vitest run test/command-line -u */
import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { commandLine } from "../support/command-line.ts";

const hilum = commandLine();

/** The number of threads is this machine's own. */
const THREADS = new RegExp(`${availableParallelism()},\\s+all\\s+there\\s+are`);
const anywhere = (help: string) => help.replace(THREADS, "all there are");

const commandsOf = (help: string) =>
  [...help.split("Commands:")[1]!.matchAll(/^ {2}([\w-]+)/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== "help");

describe("hilum --help", () => {
  it("shows every command, each with help and examples that name it", async () => {
    const { stdout, stderr, exitCode } = await hilum("--help");
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    await expect(stdout).toMatchFileSnapshot("help/hilum.txt");
    const names = commandsOf(stdout);
    expect(names.length).toBeGreaterThanOrEqual(5);
    for (const name of names) {
      const help = await hilum(name, "--help");
      expect(help).toMatchObject({ stderr: "", exitCode: 0 });
      await expect(anywhere(help.stdout)).toMatchFileSnapshot(`help/${name}.txt`);
      const examples = help.stdout.split("Examples:\n")[1]!.trimEnd().split("\n");
      expect(examples.length).toBeGreaterThan(0);
      for (const line of examples) expect(line).toMatch(new RegExp(`^ {2}\\$ hilum ${name}\\b`));
      expect(help.stdout).toContain("--json");
      expect(help.stdout).toMatch(/Not\s+for\s+clinical\s+use/);
      expect((await hilum("help", name)).stdout).toBe(help.stdout);
    }
  });
});
