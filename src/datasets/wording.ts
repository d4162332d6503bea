/** Numbers in sentences. */

/** "1 image", "2 images"; with thousands apart. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** The form of a verb or pronoun that goes with a number. */
export function agreeing(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}
