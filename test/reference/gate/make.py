"""Makes gate.json: what the shipped model's gate says of drawn images, by Python's ONNX Runtime.

    pip install onnxruntime==1.32.0 numpy
    python test/reference/gate/make.py

Which scores fire is found here from the model's metadata alone, as docs/guides/gates.md describes it.
To be made anew when models/pneumonia.onnx gets another gate.
"""
import json
import pathlib

import numpy
import onnxruntime

HERE = pathlib.Path(__file__).parent
MODEL = HERE.parents[2] / "models/pneumonia.onnx"

# In whole numbers, which gate.test.ts repeats.
DRAWN = {
    "ramp": lambda x, y, w, h: x * 255 // (w - 1),
    "rings": lambda x, y, w, h: ((x - w // 2) ** 2 + (y - h // 2) ** 2) // 64 % 256,
    "blocks": lambda x, y, w, h: ((x // 16) * 37 + (y // 16) * 91) % 256,
    "black": lambda x, y, w, h: 0 * x,
}
SIZES = [(224, 224), (437, 300), (90, 120), (900, 180)]

session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
scores = json.loads(session.get_modelmeta().custom_metadata_map["hilum.gate"])["scores"]
cases = []
for kind, draw in DRAWN.items():
    for width, height in SIZES:
        y, x = numpy.mgrid[0:height, 0:width]
        film = draw(x, y, width, height).astype(numpy.uint8)
        (values,) = session.run(["gate"], {"images": film[None]})
        fired = [
            score["code"]
            for score, value in zip(scores, values[0])
            if numpy.isnan(value)
            or (value > score["limit"] if score["fires"] == "above" else value < score["limit"])
        ]
        cases.append({"kind": kind, "width": width, "height": height,
                      "values": [float(value) for value in values[0]], "fired": sorted(set(fired))})
(HERE / "gate.json").write_text(json.dumps({"cases": cases}) + "\n")
