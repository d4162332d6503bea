"""Makes decisions.json: tests of pairs, corrections, decision curves and selective prediction.

    pip install scipy==1.17.1 statsmodels==0.15.0 dcurves==1.1.7 numpy==1.26.4 pandas
    python test/reference/evaluation/make_decisions.py

What no package has (the area under the risk-coverage curve, predictive values at a prevalence) is
written out from its definition: by brute force, and by numeric derivatives.
"""
import json
import pathlib

import dcurves
import numpy
import pandas
import scipy.stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

HERE = pathlib.Path(__file__).parent


def mcnemars():
    rows = []
    for b, c in [(10, 25), (0, 6), (5, 5), (1, 0), (86, 150), (101, 121), (900, 1000)]:
        table = [[30, b], [c, 40]]
        exact = mcnemar(table, exact=True).pvalue
        mid = exact - scipy.stats.binom.pmf(b, b + c, 0.5) if b != c else 1 - scipy.stats.binom.pmf(b, b + c, 0.5) / 2
        # statsmodels carries the correction past equal counts, away from 0 again.
        chi = 1 if b == c else mcnemar(table, exact=False, correction=True).pvalue
        rows.append([b, c, float(exact), float(mid), float(chi)])
    return rows


def holms():
    return [{"values": values, "corrected": multipletests(values, method="holm")[1].tolist()}
            for values in ([0.01, 0.04, 0.03], [0.5, 0.001, 0.2, 0.02, 0.02], [0.9], [0.6, 0.7])]


def films(seed, n):
    rng = numpy.random.default_rng(seed)
    labels = (rng.random(n) < 0.35).astype(int)
    scores = scipy.special.expit(rng.normal(size=n) * 1.3 + 1.6 * labels - 0.8).round(3)
    return labels, scores


def decision():
    cases = []
    thresholds = [0.01, 0.05, 0.1, 0.25, 0.4, 0.5, 0.75, 0.9]
    labels, scores = films(1, 120)
    for prevalence in (None, 0.1):
        frame = pandas.DataFrame({"label": labels, "model": scores})
        out = dcurves.dca(frame, "label", ["model"], thresholds=thresholds, prevalence=prevalence)
        pick = lambda name: out[out.model == name].sort_values("threshold").net_benefit.tolist()
        cases.append({"labels": labels.tolist(), "scores": scores.tolist(), "prevalence": prevalence,
                      "thresholds": thresholds, "model": pick("model"), "all": pick("all")})
    return cases


def selective():
    labels, scores = films(2, 60)
    scores = scores.round(2)
    errors = ((scores >= 0.5) != (labels == 1)).astype(int)
    confidence = numpy.abs(scores - 0.5)
    # The mean over random orders of equal confidences, exactly: each film of a tie has the tie's mean error.
    order = numpy.argsort(-confidence, kind="stable")
    mean_of_tie = {c: errors[confidence == c].mean() for c in set(confidence)}
    expected = numpy.cumsum([mean_of_tie[c] for c in confidence[order]]) / numpy.arange(1, len(errors) + 1)
    return {"errors": errors.tolist(), "confidences": confidence.tolist(), "area": float(expected.mean()),
            "riskOfAll": float(errors.mean())}


def predictive():
    rows = []
    z = scipy.stats.norm.ppf(0.975)
    for tp, fn, tn, fp, prevalence in [(80, 20, 90, 10, 0.05), (45, 5, 70, 30, 0.3), (9, 3, 14, 2, 0.5)]:
        n1, n0 = tp + fn, tn + fp
        def logit_ppv(se, sp):
            return numpy.log(se * prevalence / ((1 - sp) * (1 - prevalence)))
        def logit_npv(se, sp):
            return numpy.log(sp * (1 - prevalence) / ((1 - se) * prevalence))
        se, sp, h = tp / n1, tn / n0, 1e-6
        out = []
        for f in (logit_ppv, logit_npv):
            dse = (f(se + h, sp) - f(se - h, sp)) / (2 * h)
            dsp = (f(se, sp + h) - f(se, sp - h)) / (2 * h)
            reach = z * (dse**2 * se * (1 - se) / n1 + dsp**2 * sp * (1 - sp) / n0) ** 0.5
            centre = f(se, sp)
            out.append([float(scipy.special.expit(v)) for v in (centre, centre - reach, centre + reach)])
        rows.append({"counts": [tp, fn, tn, fp], "prevalence": prevalence, "ppv": out[0], "npv": out[1]})
    return rows


def bands():
    """Pointwise percentile bands by another generator: heights at grid points of 2,000 resamples."""
    labels, scores = films(3, 200)
    rng = numpy.random.default_rng(4)
    at = [0.1, 0.3, 0.6]
    roc, pr = [], []
    for _ in range(4000):
        pick = rng.integers(0, len(labels), len(labels))
        y, s = labels[pick], scores[pick]
        values = numpy.unique(s)[::-1]
        tp = numpy.array([(y[s >= v] == 1).sum() for v in values])
        fp = numpy.array([(y[s >= v] == 0).sum() for v in values])
        tpr, fpr, precision = tp / (y == 1).sum(), fp / (y == 0).sum(), tp / (tp + fp)
        xs, ys = numpy.append([0], fpr), numpy.append([0], tpr)
        row = []
        for x in at:  # Linear between points; a vertical step is read at its top.
            i = numpy.searchsorted(xs, x, side="right") - 1
            row.append(ys[i] if xs[i] == x else ys[i] + (ys[i + 1] - ys[i]) * (x - xs[i]) / (xs[i + 1] - xs[i]))
        roc.append(row)
        pr.append([precision[numpy.argmax(tpr >= x)] for x in at])
    q = lambda rows: numpy.quantile(rows, [0.025, 0.975], axis=0).T.tolist()
    return {"labels": labels.tolist(), "scores": scores.tolist(), "at": at, "roc": q(roc), "precisionRecall": q(pr)}


def main():
    fixture = {"mcnemar": mcnemars(), "holm": holms(), "decision": decision(), "selective": selective(),
               "predictive": predictive(), "bands": bands()}
    (HERE / "decisions.json").write_text(json.dumps(fixture) + "\n")


main()
