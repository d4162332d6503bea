/** What findings that may be present together are called, and how often their probabilities come true. */
import type { Cell } from "../../page.ts";
import type { Counts } from "../binary-summary.ts";
import type { ReliabilityBin } from "../curves/reliability.ts";
import { COLOURS } from "../theme.ts";
import { RIGHT_OR_WRONG } from "./confusion.ts";
import { type Figure, percent, shortened } from "./figure.ts";

export interface FindingOutcome {
  readonly finding: string;
  /** At the operating point, over the films of which it is known. */
  readonly counts: Counts;
  readonly reliability: readonly ReliabilityBin[];
}

export const FINDING_HEAD = ["finding", "found", "missed", "false alarms", "rightly not called"];

/** Counts of each finding with their share of the films that have it, or do not. */
export function findingRows(findings: readonly FindingOutcome[]): string[][] {
  return findings.map(({ finding, counts }) => [
    finding,
    ...cellsOf(counts).map(({ n, share }) => `${n.toLocaleString("en")} (${shareText(share)})`),
  ]);
}

const shareText = (share: number | null) => (share === null ? "–" : percent(share));

function cellsOf(counts: Counts) {
  const { truePositives, falseNegatives, falsePositives, trueNegatives } = counts;
  const cell = (said: string, n: number, whole: number, isRight: boolean) => ({
    said,
    n,
    share: whole === 0 ? null : n / whole,
    isRight,
  });
  const [positives, negatives] = [truePositives + falseNegatives, falsePositives + trueNegatives];
  return [
    cell(FINDING_HEAD[1]!, truePositives, positives, true),
    cell(FINDING_HEAD[2]!, falseNegatives, positives, false),
    cell(FINDING_HEAD[3]!, falsePositives, negatives, false),
    cell(FINDING_HEAD[4]!, trueNegatives, negatives, true),
  ];
}

/** A row of four fields for each finding, the fuller the larger the share. */
export function findingsConfusionFigure(findings: readonly FindingOutcome[]): Figure {
  const values = findings.flatMap(({ finding, counts }) =>
    cellsOf(counts).map(({ said, n, share, isRight }) => ({
      finding: shortened(finding, 20),
      said: said === FINDING_HEAD[4] ? "not called" : said,
      share: share ?? 0,
      isRight,
      text: `${n.toLocaleString("en")} · ${shareText(share)}`,
    })),
  );
  const nothing = { grid: false, domain: false, ticks: false } as const;
  const encoding = {
    x: {
      field: "said",
      type: "nominal",
      title: null,
      sort: null,
      axis: { ...nothing, orient: "top", labelAngle: 0 },
    },
    y: {
      field: "finding",
      type: "nominal",
      title: null,
      sort: null,
      axis: { ...nothing, labelLimit: 140 },
    },
  } as const;
  return {
    name: "confusion",
    title: "Confusion by finding",
    caption:
      "For each finding, at the operating point: of the films that have it how many were found and missed, of the others how many were false alarms and how many were rightly not called. Blue is right, orange wrong, the fuller the more. Films of which nothing is known are left out.",
    plot: {
      width: 300,
      height: { step: 30 },
      title: "Confusion by finding",
      data: { values },
      layer: [
        {
          mark: { type: "rect", cornerRadius: 3 },
          encoding: {
            ...encoding,
            ...RIGHT_OR_WRONG,
          },
        },
        {
          mark: { type: "text", fontSize: 10, color: COLOURS.ink },
          encoding: { ...encoding, text: { field: "text", type: "nominal" } },
        },
      ],
    },
    table: { head: FINDING_HEAD, rows: findingRows(findings) },
  };
}

const SMALL_SIDE = 120;

/** A small reliability diagram for each finding. */
export function findingsReliabilityFigure(findings: readonly FindingOutcome[]): Figure {
  const filled = findings.map(({ finding, reliability }) => ({
    finding,
    bins: reliability.filter(({ n }) => n > 0),
  }));
  const axis = { tickCount: 3 } as const;
  const unit = { domain: [0, 1] };
  const x = {
    field: "meanProbability",
    type: "quantitative",
    title: null,
    scale: unit,
    axis,
  } as const;
  const y = { field: "observed", type: "quantitative", title: null, scale: unit, axis } as const;
  const diagonal = [0, 1].map((at) => ({ meanProbability: at, observed: at }));
  return {
    name: "reliability",
    title: "Calibration by finding",
    caption:
      "For each finding: the probability said (to the right) against the share that is true (upwards), in bins of a tenth. A point on the dashed line keeps its word; below it the model claims too much. Lines are 95 % intervals.",
    plot: {
      columns: 2,
      spacing: 18,
      concat: filled.map(({ finding, bins }) => ({
        width: SMALL_SIDE,
        height: SMALL_SIDE,
        title: shortened(finding, 18),
        layer: [
          {
            data: { values: diagonal },
            mark: { type: "line", color: COLOURS.quiet, strokeDash: [4, 4], strokeWidth: 1 },
            encoding: { x, y },
          },
          {
            data: { values: bins.filter(({ low }) => low !== null) },
            mark: { type: "rule", strokeWidth: 1.5, opacity: 0.6, color: COLOURS.first },
            encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } },
          },
          {
            data: { values: bins },
            mark: { type: "line", color: COLOURS.first, point: { size: 30, color: COLOURS.first } },
            encoding: { x, y },
          },
        ],
      })),
    },
    table: {
      head: ["finding", "probability", "films", "mean said", "share true", "95 % interval"],
      rows: filled.flatMap(({ finding, bins }) =>
        bins.map((bin): Cell[] => [
          finding,
          `${bin.from.toFixed(2)} – ${bin.to.toFixed(2)}`,
          bin.n,
          bin.meanProbability!.toFixed(3),
          bin.observed!.toFixed(3),
          bin.low === null ? "" : `${bin.low.toFixed(3)} – ${bin.high!.toFixed(3)}`,
        ]),
      ),
    },
  };
}
