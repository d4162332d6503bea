"""Are our models valid, are they what we say, and do they survive other tools?"""
import numpy
import onnx


def models(cases):
    return [(case["path"], case) for case in cases["models"]]


def every_graph(cases):
    return [*models(cases), *((path, {"path": path}) for path in cases["graphs"])]


def trained(cases):
    return [(path, path) for path in cases["runs"]]


def check(work, case):
    """onnx.checker with full_check, which infers all shapes and compares them with those stated."""
    onnx.checker.check_model(str(work / case["path"]), full_check=True)
    return 0


def unknown_shapes(work, case):
    """Values of which strict shape inference, without our own shapes, does not find the rank."""
    model = onnx.load(str(work / case["path"]))
    del model.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    known = {v.name for v in inferred.graph.value_info if v.type.tensor_type.HasField("shape")}
    known |= {v.name for v in model.graph.output}
    return len([o for node in model.graph.node for o in node.output if o and o not in known])


def metadata(work, case):
    """Entries that differ."""
    model = onnx.load(str(work / case["path"]))
    found = {entry.key: entry.value for entry in model.metadata_props}
    assert found, "no metadata"
    return sum(found.get(k) != case["metadata"].get(k) for k in found.keys() | case["metadata"].keys())


def keep_external(work, case):
    """Writes the model anew with external data, as others do; Hilum reads it afterwards."""
    name = case["path"].replace("/", "-")
    target = work / "theirs" / name
    onnx.save_model(
        onnx.load(str(work / case["path"])),
        str(target),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=f"{name}.weights",
        size_threshold=0,
    )
    # Not in full: its shape inference reads no constants from outside.
    onnx.checker.check_model(str(target))
    return 0


def checkpoint(work, run):
    """Tensors of a run's best checkpoint that are not, byte for byte, the model's weights."""
    from safetensors.numpy import load_file

    weights = load_file(work / run / "checkpoints" / "best.safetensors")
    model = onnx.load(str(work / run / "model.onnx"))
    held = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    assert len(weights) > 4, "no weights"
    return sum(
        name not in held or not numpy.array_equal(held[name], value)
        for name, value in weights.items()
    )


CHECKS = (
    ("onnx: full check", every_graph, check, 0),
    ("onnx: values of unknown shape", models, unknown_shapes, 0),
    ("onnx: metadata that differ", models, metadata, 0),
    ("onnx: writes external data", models, keep_external, 0),
    ("onnx, safetensors: checkpoint's tensors that differ", trained, checkpoint, 0),
)
