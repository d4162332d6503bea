"""Makes binary.json, classes.json and findings.json: metrics by scikit-learn, SciPy and NumPy.

    pip install scikit-learn==1.9.1 scipy==1.17.1
    python test/reference/evaluation/make.py

A metric that the other library leaves undefined, or defines by a warning and a zero, is null here.
Calibration errors have no counterpart there and are written out with NumPy, from their papers.
"""
import json
import pathlib
import warnings

import numpy
import scipy.stats
import sklearn.metrics as sk

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent
BINS, CLIP = 15, 1e-15


def number(value):
    return None if value is None or numpy.isnan(value) else float(value)


def binned(outcomes, probabilities, edges):
    """Guo et al. 2017, equation 3. numpy.digitize with right=True: a bin has its upper edge."""
    bins = numpy.digitize(probabilities, edges, right=True)
    return sum(
        (bins == b).mean() * abs(outcomes[bins == b].mean() - probabilities[bins == b].mean())
        for b in range(BINS)
        if (bins == b).any()
    )


def calibration(outcomes, probabilities):
    if len(outcomes) == 0:
        return {"ece": None, "adaptiveEce": None}
    shares = numpy.arange(1, BINS) / BINS
    return {
        "ece": number(binned(outcomes, probabilities, shares)),
        "adaptiveEce": number(binned(outcomes, probabilities, numpy.quantile(probabilities, shares))),
    }


def rank_auc(y, p):
    """Mann and Whitney's U, which ties halve."""
    if len(set(y)) < 2:
        return None
    u = scipy.stats.mannwhitneyu(p[y == 1], p[y == 0]).statistic
    auc = u / ((y == 1).sum() * (y == 0).sum())
    assert abs(auc - sk.roc_auc_score(y, p)) < 1e-12
    return auc


def counted(y, said):
    """What is counted from true and said classes of 0 and 1."""
    nan = {"zero_division": numpy.nan}
    recalls = [number(sk.recall_score(y, said, pos_label=k, **nan)) for k in (1, 0)]
    both = None not in recalls
    return {
        "accuracy": number(sk.accuracy_score(y, said)),
        "balancedAccuracy": number(sk.balanced_accuracy_score(y, said)) if both else None,
        "sensitivity": recalls[0],
        "specificity": recalls[1],
        "ppv": number(sk.precision_score(y, said, **nan)),
        "npv": number(sk.precision_score(y, said, pos_label=0, **nan)),
        "f1": number(sk.f1_score(y, said, **nan)),
        "mcc": number(sk.matthews_corrcoef(y, said)) if both and len(set(said)) == 2 else None,
        "kappa": number(sk.cohen_kappa_score(y, said)),
    }


def ranked(y, p):
    """What looks at the probabilities of 0 and 1 themselves."""
    clipped = numpy.clip(p, CLIP, 1 - CLIP)
    return {
        "auroc": number(rank_auc(y, p)),
        "averagePrecision": number(sk.average_precision_score(y, p)) if 1 in y else None,
        "logLoss": number(sk.log_loss(y, clipped, labels=[0, 1])),
        "brier": number(sk.brier_score_loss(y, p, labels=[0, 1])),
        **calibration(y, p),
    }


def youden(y, p):
    """The largest tpr - fpr, and the highest score that reaches it."""
    if len(set(y)) < 2:
        return None
    fpr, tpr, thresholds = sk.roc_curve(y, p, drop_intermediate=False)
    index = numpy.argmax(tpr[1:] - fpr[1:])
    return {"index": float((tpr - fpr)[1 + index]), "score": float(thresholds[1 + index])}


def binary(title, y, p, threshold=0.5):
    y, p = numpy.asarray(y), numpy.asarray(p, dtype=float)
    said = (p >= threshold).astype(int)
    return {
        "title": title,
        "threshold": threshold,
        "labels": y.tolist(),
        "scores": p.tolist(),
        "confusion": sk.confusion_matrix(y, said, labels=[0, 1]).tolist(),
        "youden": youden(y, p),
        "metrics": {**counted(y, said), **ranked(y, p)},
    }


def drawn(rng, count, share, strength):
    """Labels, and scores that know something of them, to six digits."""
    y = (rng.random(count) < share).astype(int)
    logits = strength * (y - 0.5) + rng.normal(size=count)
    return y, numpy.round(1 / (1 + numpy.exp(-logits)), 6)


def binary_cases():
    rng = numpy.random.default_rng(20)
    y, p = drawn(rng, 90, 0.6, 2)
    yield binary("good scores", y, p)
    yield binary("a threshold of its own", y, p, 0.31)
    yield binary("a threshold that is a score", y, p, float(p[7]))
    yield binary("few positives", *drawn(rng, 80, 0.1, 1.5))
    yield binary("scores that know nothing", *drawn(rng, 60, 0.5, 0))
    y, p = drawn(rng, 70, 0.5, 1.5)
    yield binary("many ties", y, numpy.round(p, 1))
    yield binary("worse than chance", y, 1 - p)
    yield binary("constant scores", y, numpy.full(70, 0.5))
    yield binary("perfect", [0, 0, 1, 1, 1], [0.1, 0.2, 0.7, 0.8, 0.9])
    yield binary("perfectly wrong", [1, 1, 0, 0], [0.1, 0.2, 0.7, 0.8])
    yield binary("positives only", [1, 1, 1], [0.2, 0.6, 0.9])
    yield binary("negatives only", [0, 0, 0], [0.2, 0.6, 0.9])
    yield binary("negatives only, all said so", [0, 0], [0.2, 0.3])
    yield binary("all said positive", [0, 1, 1, 0], [0.6, 0.7, 0.8, 0.9])
    yield binary("all said negative", [0, 1, 1, 0], [0.1, 0.2, 0.3, 0.4])
    yield binary("extreme probabilities", [0, 1, 1, 0, 1], [0, 1, 1e-300, 1, 1 - 1e-16])
    yield binary("edges of calibration bins", [1, 0, 1, 1, 0, 0, 1], [0.2, 0.15, 0.6, 0.55, 0.8, 0.85, 0])
    yield binary("one film", [1], [0.3])


def several(title, y, p):
    y, p = numpy.asarray(y), numpy.asarray(p, dtype=float)
    classes = numpy.arange(p.shape[1])
    said = p.argmax(axis=1)
    one_hot = (y[:, None] == classes).astype(int)
    per_class = [
        {**counted(one_hot[:, k], (said == k).astype(int)), **ranked(one_hot[:, k], p[:, k])}
        for k in classes
    ]
    mean = lambda key: number(numpy.mean([m[key] for m in per_class if m[key] is not None]))
    # scikit-learn normalizes rows and clips at the machine epsilon, so this is written out.
    log_loss = -numpy.log(numpy.maximum(p[numpy.arange(len(y)), y], CLIP)).mean()
    if (p > 1e-9).all():
        assert abs(log_loss - sk.log_loss(y, p, labels=classes)) < 1e-9
    apart = len(set(y)) > 1 and len(set(said)) > 1
    return {
        "title": title,
        "labels": y.tolist(),
        "probabilities": p.tolist(),
        "confusion": sk.confusion_matrix(y, said, labels=classes).tolist(),
        "metrics": {
            "accuracy": number(sk.accuracy_score(y, said)),
            "balancedAccuracy": number(sk.balanced_accuracy_score(y, said)),
            "mcc": number(sk.matthews_corrcoef(y, said)) if apart else None,
            "kappa": number(sk.cohen_kappa_score(y, said, labels=classes)),
            "logLoss": number(log_loss),
            "brier": number(((p - one_hot) ** 2).sum(axis=1).mean()),
            **calibration((said == y).astype(int), p.max(axis=1)),
            "aurocMacro": mean("auroc"),
            "f1Macro": mean("f1"),
        },
        "perClass": per_class,
    }


def class_cases():
    rng = numpy.random.default_rng(21)

    def softmax(count, classes, strength):
        y = rng.integers(classes, size=count)
        logits = rng.normal(size=(count, classes)) + strength * numpy.eye(classes)[y]
        p = numpy.exp(logits)
        # Multiples of 2^-20 whose rows sum to 1 exactly.
        p = numpy.round(p / p.sum(axis=1, keepdims=True) * 2**20) / 2**20
        p[:, 0] = 1 - p[:, 1:].sum(axis=1)
        return y, p

    y, p = softmax(80, 3, 2)
    case = several("three classes", y, p)
    assert abs(case["metrics"]["brier"] - sk.brier_score_loss(y, p)) < 1e-12
    assert abs(case["metrics"]["f1Macro"] - sk.f1_score(y, p.argmax(axis=1), average="macro")) < 1e-12
    auroc = sk.roc_auc_score(y, p, multi_class="ovr", average="macro")
    assert abs(case["metrics"]["aurocMacro"] - auroc) < 1e-12
    yield case
    yield several("five classes", *softmax(60, 5, 1))
    yield several("ties for the largest", [0, 1, 2, 2], [[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.3, 0.3, 0.4], [0.25, 0.375, 0.375]])
    yield several("a class that no film has", [0, 1, 0, 1], [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]])
    yield several("one class only", [1, 1], [[0.2, 0.7, 0.1], [0.1, 0.8, 0.1]])
    yield several("extreme probabilities", [0, 1, 2], [[1, 0, 0], [1, 0, 0], [0, 0, 1]])


def findings(title, targets, probabilities, threshold=0.5):
    targets = numpy.asarray(targets, dtype=float)
    p = numpy.asarray(probabilities, dtype=float)
    per_class = []
    for k in range(p.shape[1]):
        known = ~numpy.isnan(targets[:, k])
        y, scores = targets[known, k].astype(int), p[known, k]
        said = (scores >= threshold).astype(int)
        if len(y) == 0:
            per_class.append(None)
            continue
        per_class.append({**counted(y, said), **ranked(y, scores)})

    def mean(key):
        defined = [m[key] for m in per_class if m and m[key] is not None]
        return number(numpy.mean(defined)) if defined else None

    return {
        "title": title,
        "threshold": threshold,
        "targets": [[None if numpy.isnan(t) else int(t) for t in row] for row in targets],
        "probabilities": p.tolist(),
        "metrics": {
            **{key: mean(key) for key in ("accuracy", "balancedAccuracy", "logLoss")},
            "aurocMacro": mean("auroc"),
            "f1Macro": mean("f1"),
        },
        "perClass": per_class,
    }


def finding_cases():
    rng = numpy.random.default_rng(22)
    columns = [drawn(rng, 50, share, 1.5) for share in (0.5, 0.2, 0.1)]
    targets = numpy.stack([y for y, _ in columns], axis=1).astype(float)
    p = numpy.stack([scores for _, scores in columns], axis=1)
    yield findings("three findings, all known", targets, p)
    missing = numpy.where(rng.random(targets.shape) < 0.4, numpy.nan, targets)
    yield findings("labels missing here and there", missing, p, 0.4)
    alone = missing.copy()
    alone[:, 1] = numpy.nan
    alone[alone[:, 2] == 1, 2] = numpy.nan
    yield findings("a finding never known, another never present", alone, p)


for name, cases in (("binary", binary_cases), ("classes", class_cases), ("findings", finding_cases)):
    text = ",\n".join(json.dumps(case) for case in cases())
    (HERE / f"{name}.json").write_text(f"[\n{text}\n]\n")
