/** A column of texts as groups of films. */

export interface FilmGroup {
  readonly name: string;
  /** Places of its films, ascending. */
  readonly films: readonly number[];
}

/** More distinct numbers than this are cut into thirds. */
const MOST_VALUES = 8;

/** The groups by name, thirds by size; films of which the column says nothing are in none. */
export function groupsOf(values: readonly string[]): FilmGroup[] {
  const known = values.flatMap((value, film) => (value.trim() === "" ? [] : [film]));
  const distinct = [...new Set(known.map((film) => values[film]!))];
  const areNumbers = distinct.every((value) => Number.isFinite(Number(value)));
  if (areNumbers && distinct.length > MOST_VALUES) return thirds(values, known);
  return distinct
    .toSorted((a, b) => (areNumbers ? Number(a) - Number(b) : a < b ? -1 : 1))
    .map((name) => ({ name, films: known.filter((film) => values[film] === name) }));
}

/** Cut between numbers, so that equal ones stay together. */
function thirds(values: readonly string[], known: readonly number[]): FilmGroup[] {
  const numbers = known.map((film) => Number(values[film]));
  const rising = numbers.toSorted((a, b) => a - b);
  const cuts = [1, 2].map((third) => rising[Math.ceil((third * rising.length) / 3) - 1]!);
  const [low, high] = [cuts[0]!, cuts[1]!];
  const shown = (value: number) => String(Number(value.toPrecision(4)));
  const part = (name: string, isIn: (value: number) => boolean): FilmGroup => ({
    name,
    films: known.filter((_, place) => isIn(numbers[place]!)),
  });
  return [
    part(`up to ${shown(low)}`, (value) => value <= low),
    part(`${shown(low)} to ${shown(high)}`, (value) => value > low && value <= high),
    part(`above ${shown(high)}`, (value) => value > high),
  ].filter(({ films }) => films.length > 0);
}
