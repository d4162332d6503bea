/**
 * The rising curve nearest to the outcomes, as knots to be joined by lines: the ends of each level
 * piece. `outcomes` are 1 for positives.
 * Source: Zadrozny and Elkan 2002; pool adjacent violators, Ayer et al. 1955.
 */
export function isotonicKnots(
  outcomes: ArrayLike<number>,
  probabilities: ArrayLike<number>,
): [x: number, y: number][] {
  const order = Array.from({ length: probabilities.length }, (_, film) => film).sort(
    (a, b) => probabilities[a]! - probabilities[b]!,
  );
  const blocks: { from: number; to: number; sum: number; weight: number }[] = [];
  for (const film of order) {
    const x = probabilities[film]!;
    const last = blocks.at(-1);
    // Equal probabilities are one place of the curve.
    if (last && last.to === x && last.from === x) {
      last.sum += outcomes[film]!;
      last.weight++;
    } else blocks.push({ from: x, to: x, sum: outcomes[film]!, weight: 1 });
  }
  const pooled: typeof blocks = [];
  for (const block of blocks) {
    let merged = block;
    for (
      let before = pooled.at(-1);
      before && before.sum / before.weight >= merged.sum / merged.weight;
      before = pooled.at(-1)
    ) {
      pooled.pop();
      merged = {
        from: before.from,
        to: merged.to,
        sum: before.sum + merged.sum,
        weight: before.weight + merged.weight,
      };
    }
    pooled.push(merged);
  }
  return pooled.flatMap(({ from, to, sum, weight }): [number, number][] => {
    const y = sum / weight;
    return from === to
      ? [[from, y]]
      : [
          [from, y],
          [to, y],
        ];
  });
}
