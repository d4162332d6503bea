"""Does Python's ONNX Runtime give the same probabilities as Node's?"""
import numpy
import onnxruntime

PROMISED = 1e-4


def batches(cases):
    return [
        (f"{case['path']} {'x'.join(map(str, batch['shape']))}", (case["path"], batch))
        for case in cases["models"]
        for batch in case["batches"]
    ]


def compare(work, case):
    """The largest difference of a probability."""
    path, batch = case
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(
        str(work / path), options, providers=["CPUExecutionProvider"]
    )
    films = numpy.fromfile(work / batch["film"], dtype=numpy.uint8).reshape(batch["shape"])
    (found,) = session.run(["probabilities"], {"images": films})
    expected = numpy.array(batch["probabilities"])
    assert found.shape == expected.shape, f"shape {found.shape}, not {expected.shape}"
    return numpy.abs(found - expected).max()


CHECKS = (("onnxruntime: largest difference", batches, compare, PROMISED),)
