import { describe, expect, it } from "vitest";
import { rejection, thrownBy } from "../test/support/rejection.ts";
import { assert, ERROR_CODES, ERROR_KINDS, HilumError, isHilumError, nearest } from "./errors.ts";

describe("an error", () => {
  it("has the kind of its code, its details and its cause", () => {
    const cause = new Error("why");
    const error = new HilumError("disk-full", "The disk is full.", { path: "x" }, cause);
    expect(error).toMatchObject({ code: "disk-full", kind: "unavailable", details: { path: "x" } });
    expect(error.cause).toBe(cause);
    expect(isHilumError(error)).toBe(true);
    expect(isHilumError(cause)).toBe(false);
  });

  it("of ours is thrown where an invariant does not hold", async () => {
    expect(() => assert(1 > 0, "one is more than nothing")).not.toThrow();
    const error = thrownBy(() => assert(1 < 0, "one is less than nothing"));
    expect(error).toMatchObject({ code: "internal-assertion", kind: "internal" });
    const later = rejection(Promise.resolve().then(() => assert(false, "later")));
    expect((await later).message).toBe("later");
  });
});

describe("the tables", () => {
  it("give every kind an exit code of its own, none of them 0", () => {
    const codes = Object.values(ERROR_KINDS).map(({ exitCode }) => exitCode);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).not.toContain(0);
  });

  it("give every code a sentence", () => {
    for (const [code, { summary }] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(summary).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe("nearest", () => {
  const names = ["dense", "cnn", "residual", "depthwise"];

  it("finds a name with slips and swaps, whatever its case", () => {
    expect(nearest("residaul", names)).toBe("residual");
    expect(nearest("DENSE", names)).toBe("dense");
    expect(nearest("cn", names)).toBe("cnn");
  });

  it("finds nothing where nothing is near", () => {
    expect(nearest("transformer", names)).toBeUndefined();
    expect(nearest("x", [])).toBeUndefined();
  });
});
