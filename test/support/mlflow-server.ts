/** A real HTTP server that keeps experiments and runs as MLflow does, and can be told to misbehave. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Fields = Readonly<Record<string, unknown>>;

export interface KeptRun {
  readonly id: string;
  readonly experiment: string;
  readonly name: string;
  status: string;
  readonly params: Record<string, string>;
  readonly tags: Record<string, string>;
  readonly metrics: { key: string; value: number; step: number; timestamp: number }[];
}

export interface MlflowServer {
  readonly url: string;
  readonly runs: KeptRun[];
  /** Everything that was sent, headers and all. */
  readonly requests: { path: string; headers: string; body: string }[];
  /** Gets each request first; answers it itself where it returns true. */
  hinder: (path: string, response: ServerResponse) => boolean;
  /** Gets each answer of a request that was done, and loses it where it returns true. */
  loses: (path: string) => boolean;
  close(): Promise<void>;
}

interface Keyed {
  readonly key: string;
  readonly value: string;
}

class Refused extends Error {}

export async function mlflowServer(): Promise<MlflowServer> {
  const experiments: string[] = [];
  const runs: KeptRun[] = [];
  const runNamed = (fields: Fields) => {
    const run = runs.find(({ id }) => id === fields.run_id);
    if (!run) throw new Refused("RESOURCE_DOES_NOT_EXIST");
    return run;
  };
  const entries = (list: unknown) =>
    Object.fromEntries(((list ?? []) as Keyed[]).map(({ key, value }) => [key, value]));
  const routes: Readonly<Record<string, (fields: Fields) => Fields>> = {
    "experiments/get-by-name"({ experiment_name: name }) {
      const index = experiments.indexOf(String(name));
      if (index < 0) throw new Refused("RESOURCE_DOES_NOT_EXIST");
      return { experiment: { experiment_id: `${index}`, name } };
    },
    "experiments/create": ({ name }) => ({
      experiment_id: `${experiments.push(String(name)) - 1}`,
    }),
    "runs/create"({ experiment_id: id, run_name: name, tags }) {
      const experiment = experiments[Number(id)]!;
      const run = { id: `run${runs.length}`, experiment, name: String(name), status: "RUNNING" };
      runs.push({ ...run, params: {}, tags: entries(tags), metrics: [] });
      return { run: { info: { run_id: run.id } } };
    },
    "runs/search"({ filter }) {
      const key = String(filter).match(/= '(.*)'$/)?.[1];
      const found = runs.filter(({ tags }) => tags["hilum.run"] === key);
      return found.length === 0 ? {} : { runs: found.map(({ id }) => ({ info: { run_id: id } })) };
    },
    "runs/log-batch"(fields) {
      const run = runNamed(fields);
      Object.assign(run.params, entries(fields.params));
      run.metrics.push(...((fields.metrics ?? []) as KeptRun["metrics"]));
      return {};
    },
    "runs/update"(fields) {
      runNamed(fields).status = String(fields.status);
      return {};
    },
  };
  const kept: MlflowServer["requests"] = [];
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url!, "http://127.0.0.1");
    const path = url.pathname.replace("/api/2.0/mlflow/", "");
    let body = "";
    for await (const chunk of request) body += chunk;
    kept.push({ path: request.url!, headers: JSON.stringify(request.headers), body });
    if (state.hinder(path, response)) return;
    const fields = body ? (JSON.parse(body) as Fields) : Object.fromEntries(url.searchParams);
    const json = (status: number, value: Fields) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    try {
      const value = routes[path]!(fields);
      if (state.loses(path)) response.destroy();
      else json(200, value);
    } catch (error) {
      json(404, { error_code: (error as Error).message, message: "as the test wants it" });
    }
  };
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const state: MlflowServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runs,
    requests: kept,
    hinder: () => false,
    loses: () => false,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return state;
}
