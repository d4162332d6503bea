/**
 * Takes a folder's lock again and again, and dies each time as far as the lock can tell: the next
 * one has to take over from the dead. `node --import tsx lock-contender.ts FOLDER ROUNDS`; prints
 * how often it held the lock, and fails where another held it at the same time.
 */
import { closeSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isHilumError } from "../../src/errors.ts";
import { lockFolder } from "../../src/folder-lock.node.ts";

const [folder, rounds] = [process.argv[2]!, Number(process.argv[3])];
const critical = join(folder, "critical");
let held = 0;
for (let round = 0; round < rounds; round++) {
  try {
    lockFolder(folder);
    closeSync(openSync(critical, "wx"));
    held++;
    rmSync(critical);
    const dead = join(folder, `dead-${process.pid}`);
    writeFileSync(dead, JSON.stringify({ pid: process.pid, started: `before ${held}` }));
    renameSync(dead, join(folder, ".lock"));
  } catch (error) {
    if (!isHilumError(error) || error.code !== "folder-locked") throw error;
  }
}
process.stdout.write(`${held}\n`);
