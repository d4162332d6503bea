/**
 * Reverse-mode differentiation of an ONNX graph: one walk over the nodes, last to first. The rules
 * are in rules/, by family. Fan-out is summed and broadcasting undone here and nowhere else.
 */
import { assert, HilumError } from "../errors.ts";
import { type Node, operators as op, staticShape, type Value } from "../onnx/index.ts";
import { type CustomGradients, customGradients } from "./custom-gradient.ts";
import type { GradientContext } from "./rule.ts";
import { GRADIENT_RULES } from "./rules/index.ts";

/**
 * Appends to the loss's builder the nodes that compute the gradients of the scalar `loss` with
 * respect to `wanted`, in that order; undefined where the loss does not depend on the value. All
 * shapes must be static. Throws `no-gradient-rule` when a gradient has to pass an operator without
 * a rule.
 */
export function appendGradients(
  loss: Value,
  wanted: readonly Value[],
  customs: CustomGradients = customGradients(),
): readonly (Value | undefined)[] {
  const { builder } = loss;
  const forward = [...builder.nodes()];
  const isActive = dependents(forward, new Set(wanted.map(({ name }) => name)));
  const pending = new Map<string, Value[]>([[loss.name, [builder.scalar(1)]]]);

  const hand = (name: string, gradient: Value | undefined) => {
    if (!gradient || !isActive.has(name)) return;
    const operand = builder.find(name);
    assert(operand, `"${name}" is not in the graph`);
    pending.set(name, [...(pending.get(name) ?? []), undoBroadcast(gradient, operand)]);
  };

  for (const node of forward.reverse()) {
    const isReached = node.outputs.some((name) => pending.has(name) && isActive.has(name));
    if (!isReached) continue;
    const gradients = node.outputs.map((name) => summed(pending, name));
    if (customs.nodes.has(node.name)) {
      const custom = customs.byOutput.get(node.outputs[0]!);
      assert(custom && gradients[0], `"${node.name}" is inside a group that has its own gradient`);
      const { inputs, rule } = custom;
      const results = rule(gradients[0], (index) => isActive.has(inputs[index]?.name ?? ""));
      inputs.forEach((input, index) => {
        if (input) hand(input.name, results[index]);
      });
      continue;
    }
    const results = ruleFor(node)(contextFor(node, gradients, isActive, loss));
    node.inputs.forEach((name, index) => {
      hand(name, results[index]);
    });
  }
  return wanted.map((value) => summed(pending, value.name));
}

/** Names of the values through which a wanted one, of these names, can influence anything. */
export function dependents(
  nodes: readonly Node[],
  wanted: ReadonlySet<string>,
): ReadonlySet<string> {
  const active = new Set(wanted);
  for (const node of nodes)
    if (node.inputs.some((name) => active.has(name)))
      for (const name of node.outputs) active.add(name);
  return active;
}

function summed(pending: Map<string, Value[]>, name: string): Value | undefined {
  const parts = pending.get(name);
  const [first, ...rest] = parts ?? [];
  if (!first || rest.length === 0) return first;
  const total = rest.length === 1 ? op.add(first, rest[0]!) : op.sum(first, ...rest);
  pending.set(name, [total]);
  return total;
}

/** Sums a gradient over the axes along which its operand was broadcast. */
function undoBroadcast(gradient: Value, operand: Value): Value {
  const from = staticShape(gradient);
  const to = staticShape(operand);
  if (from.length === to.length && from.every((dim, axis) => dim === to[axis])) return gradient;
  const lead = from.length - to.length;
  if (lead < 0) return op.expand(gradient, to);
  const axes = from.flatMap((dim, axis) => (axis < lead || dim !== to[axis - lead] ? [axis] : []));
  const isWider = axes.some((axis) => axis >= lead && to[axis - lead] !== 1);
  // A gradient that is itself smaller than its operand (a scalar loss gradient) is broadcast up.
  if (isWider) return undoBroadcast(op.expand(gradient, to), operand);
  if (axes.length === 0) return gradient;
  const total = op.reduceSum(gradient, { axes, keepsDims: lead === 0 });
  return lead === 0 ? total : op.reshape(total, to);
}

function ruleFor(node: Node) {
  const rule = node.domain === "" ? GRADIENT_RULES[node.operator] : undefined;
  if (rule) return rule;
  throw new HilumError(
    "no-gradient-rule",
    `Cannot train through operator "${node.operator}" (node "${node.name}"): it has no gradient rule. Freeze the layers before it, or add a rule in autodiff/rules.`,
    { operator: node.operator, node: node.name, domain: node.domain },
  );
}

function contextFor(
  node: Node,
  gradients: readonly (Value | undefined)[],
  isActive: ReadonlySet<string>,
  { builder }: Value,
): GradientContext {
  const optionalInput = (index: number) => {
    const name = node.inputs[index];
    return name ? builder.find(name) : undefined;
  };
  const unsupported = (reason: string): never => {
    throw new HilumError(
      "no-gradient-rule",
      `Cannot train through ${node.operator} "${node.name}": ${reason}.`,
      { operator: node.operator, node: node.name },
    );
  };
  return {
    builder,
    node,
    gradients,
    attributes: node.attributes,
    needs: (index) => isActive.has(node.inputs[index] ?? ""),
    optionalInput,
    input(index) {
      const value = optionalInput(index);
      assert(value, `${node.operator} "${node.name}" lacks input ${index}`);
      return value;
    },
    output(index) {
      const name = node.outputs[index];
      const value = name ? builder.find(name) : builder.extend(node, index + 1)[index];
      assert(value, `${node.operator} "${node.name}" lacks output ${index}`);
      return value;
    },
    get gradient() {
      const other = gradients.findIndex((gradient, index) => index > 0 && gradient);
      if (other > 0) unsupported(`its output ${other} takes part in the loss`);
      const [first] = gradients;
      assert(first, `no gradient flows into output 0 of ${node.operator} "${node.name}"`);
      return first;
    },
    unsupported,
  };
}
