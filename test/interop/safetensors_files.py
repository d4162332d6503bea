"""Does the safetensors package read our files, and we its?"""
import json

import numpy
from safetensors import safe_open
from safetensors.numpy import save_file


def files(cases):
    return [(case["path"], case) for case in cases["safetensors"]]


def read(work, case):
    """Tensors and metadata that differ."""
    with safe_open(work / case["path"], framework="numpy") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}
        different = int(file.metadata() != case["metadata"])
    for name, expected in case["tensors"].items():
        value = found.pop(name, None)
        is_same = (
            value is not None
            and list(value.shape) == expected["dims"]
            and value.tobytes().hex() == expected["hex"]
            and str(value.dtype) == name.split(".")[0]
        )
        different += not is_same
    return different + len(found)


def write(work, _):
    """Tensors of many types, and in `theirs.json` what is in them."""
    rng = numpy.random.default_rng(3)
    types = "float64 float32 float16 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool".split()
    tensors = {
        f"{name}.{len(dims)}": rng.integers(0, 2 if name == "bool" else 100, dims).astype(name)
        for name in types
        for dims in ((), (0, 3), (5,), (2, 3, 4))
    }
    save_file(tensors, work / "theirs" / "tensors.safetensors", metadata={"origin": "elsewhere"})
    contents = {
        name: {"type": str(value.dtype), "dims": value.shape, "hex": value.tobytes().hex()}
        for name, value in tensors.items()
    }
    (work / "theirs" / "tensors.json").write_text(json.dumps(contents))
    return 0


CHECKS = (
    ("safetensors: tensors that differ", files, read, 0),
    ("safetensors: writes", lambda cases: [("theirs/tensors.safetensors", None)], write, 0),
)
