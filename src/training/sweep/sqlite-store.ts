/**
 * A sweep's store in one SQLite file. Several processes share it: each decision is one transaction
 * that takes the write lock first, and every commit is synced to the disk.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Kysely, SqliteDialect, sql } from "kysely";
import { HilumError } from "../../errors.ts";
import { guardDisk } from "../../files.node.ts";
import type { SweepConfig } from "./config.ts";
import type { Params } from "./space.ts";
import type {
  Decision,
  SweepStore,
  SweepView,
  TrialRecord,
  Worker,
  WorkerRecord,
} from "./store.ts";
import { makeTables, type SweepTables } from "./tables.ts";
import type { Report, TrialState } from "./trial.ts";

/** How long a process waits for another's transaction, each of which takes milliseconds. */
const BUSY_MS = 20_000;

/** Opens the file, or makes it. Throws `run-damaged` where it is no store of a sweep. */
export async function openSqliteStore(path: string): Promise<SweepStore> {
  guardDisk(path, () => mkdirSync(dirname(path), { recursive: true }));
  try {
    return storeOver(await openTables(path));
  } catch (cause) {
    if (cause instanceof HilumError) throw cause;
    throw new HilumError(
      "run-damaged",
      `${path} cannot be opened as a sweep's store (${(cause as Error).message}). Tune into another folder.`,
      { path },
      cause,
    );
  }
}

async function openTables(path: string): Promise<Kysely<SweepTables>> {
  // Loaded here: most commands have no use for it.
  const { default: Database } = await import("libsql");
  const file = new Database(path);
  file.pragma(`busy_timeout = ${BUSY_MS}`);
  file.pragma("journal_mode = WAL");
  // In WAL mode SQLite's default syncs at checkpoints only, so a power cut could undo commits.
  file.pragma("synchronous = FULL");
  const db = new Kysely<SweepTables>({ dialect: new SqliteDialect({ database: file }) });
  await exclusively(db, makeTables);
  return db;
}

/** Runs the work in a transaction that no other process has at the same time. */
async function exclusively<T>(
  db: Kysely<SweepTables>,
  work: (db: Kysely<SweepTables>) => Promise<T>,
): Promise<T> {
  return db.connection().execute(async (connection) => {
    await sql`begin immediate`.execute(connection);
    try {
      const result = await work(connection);
      await sql`commit`.execute(connection);
      return result;
    } catch (error) {
      await sql`rollback`.execute(connection);
      throw error;
    }
  });
}

function storeOver(db: Kysely<SweepTables>): SweepStore {
  const ended: TrialRecord[] = [];
  /** Changes the trial where it is still the worker's. */
  const changeOwn = async (
    { id }: Worker,
    number: number,
    change: Partial<SweepTables["trials"]>,
    connection = db,
  ): Promise<boolean> => {
    const { numUpdatedRows } = await connection
      .updateTable("trials")
      .set(change)
      .where("number", "=", number)
      .where("worker", "=", id)
      .where("state", "=", "running")
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  };
  return {
    async config() {
      const row = await db.selectFrom("sweep").select("config").executeTakeFirst();
      return row && (JSON.parse(row.config) as SweepConfig);
    },
    async begin(config) {
      const { numInsertedOrUpdatedRows = 0n } = await db
        .insertInto("sweep")
        .values({ id: 1, config: JSON.stringify(config) })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows > 0n;
    },
    async changeBudget(budget) {
      await exclusively(db, async (connection) => {
        const { config } = await connection
          .selectFrom("sweep")
          .select("config")
          .executeTakeFirstOrThrow();
        const changed = { ...(JSON.parse(config) as SweepConfig), budget };
        await connection
          .updateTable("sweep")
          .set({ config: JSON.stringify(changed) })
          .execute();
      });
    },
    trials: () => trialsIn(db, ended),
    workers: () => workersIn(db),
    claim: (worker, decide) =>
      exclusively(db, async (connection) => {
        await beat(connection, worker);
        const view = await viewOf(connection, ended);
        const decision = decide(view);
        await carryOut(connection, worker, decision, view);
        return decision;
      }),
    report: (worker, number, { step, value, images }, seconds) =>
      exclusively(db, async (connection) => {
        await beat(connection, worker);
        if (!(await changeOwn(worker, number, { seconds }, connection))) return false;
        await connection
          .insertInto("reports")
          .values({ trial: number, step, value, images })
          .onConflict((conflict) =>
            conflict.columns(["trial", "step"]).doUpdateSet({ value, images }),
          )
          .execute();
        return true;
      }),
    end: (worker, number, { state, values, error }, seconds) =>
      changeOwn(worker, number, {
        state,
        error,
        seconds,
        worker: null,
        trial_values: JSON.stringify(values),
      }),
    release: (worker, number, seconds) => changeOwn(worker, number, { worker: null, seconds }),
    beat: (worker) => beat(db, worker),
    close: () => db.destroy(),
  };
}

async function beat(db: Kysely<SweepTables>, worker: Worker): Promise<void> {
  const now = Date.now();
  await db
    .insertInto("workers")
    .values({ ...worker, begun: now, seen: now })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ seen: now }))
    .execute();
}

async function carryOut(
  db: Kysely<SweepTables>,
  { id }: Worker,
  decision: Decision,
  { trials }: SweepView,
): Promise<void> {
  if (decision.kind === "begin")
    await db
      .insertInto("trials")
      .values({
        number: decision.number,
        state: "running",
        params: JSON.stringify(decision.params),
        trial_values: null,
        error: null,
        worker: id,
        attempts: 1,
        seconds: 0,
      })
      .execute();
  else if (decision.kind === "take over" || decision.kind === "give up") {
    const { attempts } = trials.find(({ number }) => number === decision.number)!;
    const change =
      decision.kind === "take over"
        ? { worker: id, attempts: attempts + 1 }
        : { worker: null, state: "failed", error: decision.error, trial_values: "[]" };
    await db.updateTable("trials").set(change).where("number", "=", decision.number).execute();
  }
}

async function viewOf(db: Kysely<SweepTables>, ended: TrialRecord[]): Promise<SweepView> {
  return { trials: await trialsIn(db, ended), workers: await workersIn(db) };
}

/** All trials. `ended` gathers the first ones of them, which never change again and are read once. */
async function trialsIn(db: Kysely<SweepTables>, ended: TrialRecord[]): Promise<TrialRecord[]> {
  const first = ended.length;
  const rows = await db
    .selectFrom("trials")
    .selectAll()
    .where("number", ">=", first)
    .orderBy("number")
    .execute();
  const reports = await db
    .selectFrom("reports")
    .selectAll()
    .where("trial", ">=", first)
    .orderBy("trial")
    .orderBy("step")
    .execute();
  const byTrial = new Map<number, Report[]>();
  for (const { trial, ...report } of reports) {
    const own = byTrial.get(trial);
    if (own) own.push(report);
    else byTrial.set(trial, [report]);
  }
  const read = rows.map(({ state, params, trial_values, ...row }) => ({
    ...row,
    state: state as TrialState,
    params: JSON.parse(params) as Params,
    values: trial_values === null ? [] : (JSON.parse(trial_values) as (number | null)[]),
    reports: byTrial.get(row.number) ?? [],
  }));
  const whole = [...ended.slice(0, first), ...read];
  for (const trial of whole.slice(ended.length)) {
    if (trial.state === "running") break;
    ended.push(trial);
  }
  return whole;
}

function workersIn(db: Kysely<SweepTables>): Promise<WorkerRecord[]> {
  return db.selectFrom("workers").selectAll().execute();
}
