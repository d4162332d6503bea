"""Makes the ONNX files of this folder, with onnx 1.23.2: python -m venv V && V/bin/pip install onnx==1.23.2 && V/bin/python make.py

every-kind.onnx    whatever the format can hold that Hilum only carries: functions with overloads, subgraphs, sparse and
                   quantized tensors, training information, devices, metadata on every level, fields of a later version
element-types.onnx one initializer of each element type, once as raw bytes, once in the typed field
control-flow.onnx  If, Loop and Scan; runs in ONNX Runtime
conv-net.onnx      a small network with its weights inside; runs in ONNX Runtime
external.onnx      the same network, and a four-bit tensor, with the weights in external.bin
typed.onnx         the same network with its weights in typed fields, in another order
"""

import os

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

os.chdir(os.path.dirname(os.path.abspath(__file__)))
LATER = bytes([0xFA, 0x7F, 3]) + b"abc" + bytes([0xF0, 0x7F, 5])  # fields 2047 (bytes) and 2046 (number)


def props(target, **entries):
    for key, value in entries.items():
        entry = target.metadata_props.add()
        entry.key, entry.value = key, value


def later(message):
    message.MergeFromString(LATER)


def save(model, name):
    with open(name, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


def info(name, shape, kind=T.FLOAT):
    return h.make_tensor_value_info(name, kind, shape)


def every_kind():
    then = h.make_graph([h.make_node("Add", ["x", "half"], ["t"], "inner add")], "then", [], [info("t", ["N", 2])],
                        [nh.from_array(np.float32([0.5]), "half")])
    other = h.make_graph([h.make_node("Identity", ["x"], ["e"])], "else", [], [info("e", ["N", 2])], doc_string="the other way")
    props(then, level="subgraph")
    branch = h.make_node("If", ["c"], ["branched"], "branch", then_branch=then, else_branch=other)
    props(branch, level="node")
    later(branch)
    kinds = h.make_node("Kinds", ["branched", "", "sparse"], ["y", ""], "kinds", domain="com.example", overload="second", doc_string="all attributes")
    values = h.make_tensor("v", T.FLOAT, [2], [1, 2])
    sparse = h.make_sparse_tensor(values, h.make_tensor("i", T.INT64, [2], [0, 3]), [4])
    kinds.attribute.extend([
        h.make_attribute("f", 0.1), h.make_attribute("i", 2**63 - 1), h.make_attribute("s", b"\xff\x00bytes"),
        h.make_attribute("t", h.make_tensor("inner", T.INT4, [3], [1, -2, 3])), h.make_attribute("sparse", sparse),
        h.make_attribute("type", h.make_tensor_type_proto(T.FLOAT, [1, "k"])), h.make_attribute("10", [1.5, -2.5]),
        h.make_attribute("9", [-(2**63), 7]), h.make_attribute("strings", ["a", "\ufeffb", ""]),
        h.make_attribute("tensors", [values, values]), h.make_attribute("graphs", [then]),
        h.make_attribute("sparses", [sparse]), h.make_attribute("types", [h.make_sequence_type_proto(h.make_tensor_type_proto(T.INT8, None))]),
        h.make_attribute("__proto__", 1), h.make_attribute("empty", [], attr_type=onnx.AttributeProto.INTS),
    ])
    kinds.attribute[0].doc_string = "a float"
    later(kinds.attribute[1])
    device = kinds.device_configurations.add(configuration_id="pair", pipeline_stage=1)
    device.sharding_spec.add(tensor_name="y", device=[0, 1]).sharded_dim.add(axis=0).simple_sharding.add(dim_param="N", num_shards=2)
    graph = h.make_graph(
        [h.make_node("Constant", [], ["c"], value=h.make_tensor("", T.BOOL, [], [True])), branch, kinds], "main",
        [info("x", ["N", 2]), h.make_value_info("map", h.make_map_type_proto(T.STRING, h.make_tensor_type_proto(T.FLOAT, []))),
         h.make_value_info("sequence", h.make_sequence_type_proto(h.make_tensor_type_proto(T.FLOAT, [2]))),
         h.make_value_info("optional", h.make_optional_type_proto(h.make_tensor_type_proto(T.FLOAT, None)))],
        [info("y", None)],
        [h.make_tensor("strings", T.STRING, [2], [b"a", b"\xff"]), h.make_tensor("weight", T.FLOAT, [2], [1, 2]),
         h.make_tensor("nibbles", T.UINT4, [3], [1, 2, 15]), nh.from_array(np.zeros((0, 3), np.float32), "nothing")],
        doc_string="a graph", sparse_initializer=[h.make_sparse_tensor(h.make_tensor("sparse", T.FLOAT, [2], [1, 2]), h.make_tensor("", T.INT64, [2], [0, 3]), [4])],
        value_info=[info("branched", [-1, None, "twice"]), info("branched", [7]), info("eight", [1], T.FLOAT8E4M3FN)])
    props(graph, level="graph")
    props(graph.initializer[1], level="tensor")
    props(graph.input[0], level="input")
    graph.input[0].doc_string = "an input"
    graph.input[0].type.denotation = "IMAGE"
    graph.input[0].type.tensor_type.shape.dim[0].denotation = "DATA_BATCH"
    graph.initializer[1].doc_string = "a weight"
    later(graph), later(graph.initializer[1]), later(graph.input[0])
    note = graph.quantization_annotation.add(tensor_name="weight")
    entry = note.quant_parameter_tensor_names.add()
    entry.key, entry.value = "SCALE_TENSOR", "scale"
    function = h.make_function("com.example", "Kinds", ["a", "b", "s"], ["r"],
                               [h.make_node("LeakyRelu", ["a"], ["r"])], [h.make_opsetid("", 21)], ["alpha"],
                               [h.make_attribute("slope", 0.25)], overload="second", doc_string="a function")
    reference = function.node[0].attribute.add(name="alpha", type=onnx.AttributeProto.FLOAT)
    reference.ref_attr_name = "alpha"
    model = h.make_model(graph, functions=[function], producer_name="make.py", producer_version="1", domain="org.example",
                         model_version=7, doc_string="a model", ir_version=11,
                         opset_imports=[h.make_opsetid("ai.onnx", 21), h.make_opsetid("com.example", 1)])
    for key in ["twice", "twice", "once"]:
        props(model, **{key: f"value {len(model.metadata_props)}"})
    model.configuration.add(name="pair", num_devices=2, device=["a", "b"])
    training = model.training_info.add()
    training.initialization.CopyFrom(h.make_graph([], "start", [], [], [nh.from_array(np.float32([3]), "start")]))
    training.algorithm.CopyFrom(h.make_graph([], "step", [], []))
    entry = training.update_binding.add()
    entry.key, entry.value = "weight", "start"
    later(model)
    save(model, "every-kind.onnx")


def element_types():
    tensors = []
    for name, kind in sorted(T.DataType.items(), key=lambda item: item[1]):
        if name == "UNDEFINED":
            continue
        if kind == T.STRING:
            tensors.append(h.make_tensor("string typed", kind, [2], [b"", b"text"]))
            continue
        complex_numbers = kind in (T.COMPLEX64, T.COMPLEX128)
        values = [1 + 2j, -1, 0] if complex_numbers else [1, 0, 1]
        typed = h.make_tensor(f"{name.lower()} typed", kind, [3], values)
        raw = T(name=f"{name.lower()} raw", dims=[3], data_type=kind)
        raw.raw_data = nh.from_array(nh.to_array(typed)).raw_data
        tensors += [typed, raw]
    graph = h.make_graph([h.make_node("Identity", ["float raw"], ["y"])], "types", [], [info("y", [3])], tensors)
    save(h.make_model(graph, ir_version=11, opset_imports=[h.make_opsetid("", 21)]), "element-types.onnx")


def control_flow():
    then = h.make_graph([h.make_node("Mul", ["x", "two"], ["t"])], "then", [], [info("t", [2])], [nh.from_array(np.float32([2]), "two")])
    other = h.make_graph([h.make_node("Neg", ["x"], ["e"])], "else", [], [info("e", [2])])
    body = h.make_graph([h.make_node("Add", ["carried", "x"], ["next"]), h.make_node("Identity", ["go"], ["on"])], "body",
                        [info("step", [], T.INT64), info("go", [], T.BOOL), info("carried", [2])], [info("on", [], T.BOOL), info("next", [2])])
    scan = h.make_graph([h.make_node("Add", ["sum", "item"], ["total"]), h.make_node("Identity", ["total"], ["each"])], "scan",
                        [info("sum", []), info("item", [])], [info("total", []), info("each", [])])
    graph = h.make_graph(
        [h.make_node("If", ["c"], ["a"], "if", then_branch=then, else_branch=other),
         h.make_node("Loop", ["three", "", "a"], ["b"], "loop", body=body),
         h.make_node("Scan", ["zero", "b"], ["sum", "y"], "scan", body=scan, num_scan_inputs=1)], "control flow",
        [info("x", [2]), info("c", [], T.BOOL)], [info("sum", []), info("y", [2])],
        [nh.from_array(np.int64(3), "three"), nh.from_array(np.float32(0), "zero")])
    save(h.make_model(graph, ir_version=10, opset_imports=[h.make_opsetid("", 21)]), "control-flow.onnx")


def network(tensors):
    nodes = [h.make_node("Conv", ["x", "stem.weight", "stem.bias"], ["conv"], "stem", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             h.make_node("Relu", ["conv"], ["relu"], "relu"), h.make_node("GlobalAveragePool", ["relu"], ["pooled"], "pool"),
             h.make_node("Flatten", ["pooled"], ["flat"], "flatten"), h.make_node("MatMul", ["flat", "head.weight"], ["y"], "head")]
    graph = h.make_graph(nodes, "conv net", [info("x", ["N", 1, "H", "W"])], [info("y", ["N", 3])], tensors)
    return h.make_model(graph, ir_version=10, opset_imports=[h.make_opsetid("", 21)], producer_name="make.py")


def weights():
    random = np.random.default_rng(1)
    return {"stem.weight": random.normal(size=(8, 1, 3, 3)).astype(np.float32), "stem.bias": random.normal(size=8).astype(np.float32),
            "head.weight": random.normal(size=(8, 3)).astype(np.float32)}


def networks():
    arrays = weights()
    save(network([nh.from_array(array, name) for name, array in arrays.items()]), "conv-net.onnx")
    typed = [h.make_tensor(name, T.FLOAT, array.shape, array.flatten().tolist()) for name, array in reversed(arrays.items())]
    save(network(typed), "typed.onnx")
    data, outside = b"", []
    nibbles = h.make_tensor("nibbles", T.INT4, [5], [1, 2, 3, 4, 5], raw=False)
    contents = [(name, T.FLOAT, array.shape, array.tobytes()) for name, array in arrays.items()]
    contents.append(("nibbles", T.INT4, [5], bytes(nibbles.int32_data)))
    for name, kind, dims, raw in contents:
        data += bytes(-len(data) % 64)
        tensor = T(name=name, dims=dims, data_type=kind, data_location=T.EXTERNAL, doc_string="outside")
        for key, value in [("location", "external.bin"), ("offset", len(data)), ("length", len(raw))]:
            entry = tensor.external_data.add()
            entry.key, entry.value = key, str(value)
        data += raw
        outside.append(tensor)
    save(network(outside), "external.onnx")
    with open("external.bin", "wb") as file:
        file.write(data)


every_kind(), element_types(), control_flow(), networks()
