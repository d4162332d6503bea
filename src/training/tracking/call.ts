/** One request to MLflow's REST API. Source: MLflow, docs/rest-api.html, version 2.0 of the API. */
import type { Address } from "./address.ts";

/** What the server, or the way to it, has against a request; `code` is MLflow's own. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export type Answer =
  | { readonly isDone: true; readonly body: Readonly<Record<string, unknown>> }
  | { readonly isDone: false; readonly refusal: Refusal };

export type Call = (
  method: "GET" | "POST",
  path: string,
  fields: Readonly<Record<string, unknown>>,
) => Promise<Answer>;

const LONGEST_MS = 30_000;
const LONGEST_MESSAGE = 200;

/** Requests to the server, none of which takes longer than 30 s or outlives the signal; never throws. */
export function callsTo({ url, headers }: Address, signal: AbortSignal): Call {
  return async (method, path, fields) => {
    const query = new URLSearchParams(fields as Record<string, string>);
    try {
      const response = await fetch(
        `${url}/api/2.0/mlflow/${path}${method === "GET" ? `?${query}` : ""}`,
        {
          method,
          headers: { ...headers, "content-type": "application/json" },
          ...(method === "GET" ? {} : { body: JSON.stringify(fields) }),
          signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]),
        },
      );
      return answerOf(response.status, await response.text());
    } catch (error) {
      return { isDone: false, refusal: { code: "UNREACHABLE", message: reasonOf(error) } };
    }
  };
}

function answerOf(status: number, text: string): Answer {
  const body = objectOf(text);
  if (status === 200 && body) return { isDone: true, body };
  if (!body || typeof body.error_code !== "string") {
    const message = `it answers ${status}, not as an MLflow server does`;
    return { isDone: false, refusal: { code: `HTTP_${status}`, message } };
  }
  const message = `it answers ${status} ${body.error_code}: ${String(body.message ?? "")}`;
  return { isDone: false, refusal: { code: body.error_code, message: oneLine(message) } };
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  const { name, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  if (name === "TimeoutError" || name === "AbortError") return "it does not answer in time";
  return `it cannot be reached (${cause?.code ?? name})`;
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, " ").slice(0, LONGEST_MESSAGE);
}
