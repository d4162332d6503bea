/** Where an MLflow server is: its address as it may be shown, and the credentials apart from it. */
import { HilumError } from "../../errors.ts";

export interface Address {
  /** Without credentials and without a slash at its end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Throws `invalid-option`, which never repeats what was given: it may hold a password. */
export function addressOf(given: string): Address {
  const url = URL.canParse(given) ? new URL(given) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash)
    throw new HilumError(
      "invalid-option",
      "Option mlflow is not the address of a server. Give one such as http://127.0.0.1:5000 or https://USER:PASSWORD@HOST/PATH.",
      { option: "mlflow" },
    );
  const name = `${decoded(url.username)}:${decoded(url.password)}`;
  return {
    url: `${url.origin}${url.pathname}`.replace(/\/+$/, ""),
    headers: name === ":" ? {} : { authorization: `Basic ${Buffer.from(name).toString("base64")}` },
  };
}

/** A password may have a % that begins no escape. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
