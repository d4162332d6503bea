/** The schema of a sweep's store: plain enough for SQLite and PostgreSQL alike. */
import type { Kysely } from "kysely";

export interface SweepTables {
  sweep: { id: number; config: string };
  trials: {
    number: number;
    state: string;
    /** JSON. */
    params: string;
    /** JSON; null until the trial ends. */
    trial_values: string | null;
    error: string | null;
    worker: string | null;
    attempts: number;
    seconds: number;
  };
  reports: { trial: number; step: number; value: number | null; images: number };
  workers: {
    id: string;
    host: string;
    pid: number;
    started: string;
    begun: number;
    seen: number;
  };
}

/** Makes what is not there. */
export async function makeTables(db: Kysely<SweepTables>): Promise<void> {
  const { schema } = db;
  await schema
    .createTable("sweep")
    .ifNotExists()
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("config", "text", (column) => column.notNull())
    .execute();
  await schema
    .createTable("trials")
    .ifNotExists()
    .addColumn("number", "integer", (column) => column.primaryKey())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("params", "text", (column) => column.notNull())
    .addColumn("trial_values", "text")
    .addColumn("error", "text")
    .addColumn("worker", "text")
    .addColumn("attempts", "integer", (column) => column.notNull())
    .addColumn("seconds", "double precision", (column) => column.notNull())
    .execute();
  await schema
    .createTable("reports")
    .ifNotExists()
    .addColumn("trial", "integer", (column) => column.notNull())
    .addColumn("step", "integer", (column) => column.notNull())
    .addColumn("value", "double precision")
    .addColumn("images", "double precision", (column) => column.notNull())
    .addPrimaryKeyConstraint("reports_key", ["trial", "step"])
    .execute();
  await schema
    .createTable("workers")
    .ifNotExists()
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("host", "text", (column) => column.notNull())
    .addColumn("pid", "integer", (column) => column.notNull())
    .addColumn("started", "text", (column) => column.notNull())
    .addColumn("begun", "double precision", (column) => column.notNull())
    .addColumn("seen", "double precision", (column) => column.notNull())
    .execute();
}
