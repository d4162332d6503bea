/** TensorFlow.js: `--layout wasm` (it has no gradients of convolutions) or its plain JavaScript backend. */
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { peakMiB, peerOptions, serve } from "./serve.ts";
import { network } from "./tfjs-networks.ts";

const importedMiB = peakMiB();
const { task, work, size, batch } = peerOptions();
await tf.setBackend(process.env.BENCH_TFJS_BACKEND ?? "cpu");
await tf.ready();
const model = network(work, size);
const images = tf.randomNormal([batch, size, size, 1]);
const step = task === "training" ? training(model) : () => predicted(model);
await serve(step, {
  parameters: model.trainableWeights.map(({ shape }) => shape.map(Number)),
  versions: { tfjs: tf.version_core },
  importedMiB,
});

function training(network: LayersModel) {
  const targets = tf.tensor2d(Array.from({ length: batch }, (_, index) => [index % 2]));
  network.compile({
    // It has no AdamW; Adam does less.
    optimizer: tf.train.adam(1e-3),
    loss: (truth, logits) => tf.losses.sigmoidCrossEntropy(truth, logits),
  });
  return () => network.trainOnBatch(images, targets);
}

function predicted(network: LayersModel): void {
  tf.tidy(() => (network.predict(images) as tf.Tensor).dataSync());
}
