// The settings in the texts of a picture that AvatarForge, ComfyUI or a program of the A1111 family wrote. The texts
// come from strangers: they are read as values of fields and nothing else, and every search in them has a limit.

/**
 * `id` is that of the generation, if AvatarForge wrote the picture. `values` are fields of a request by their names; a
 * seed is a string of digits. `models` and `loras` are names as the file has them, which may not be installed here.
 * `unread` says what was there and has no field.
 * @typedef {object} FoundSettings
 * @property {"avatarforge" | "comfyui" | "a1111"} source
 * @property {string} id
 * @property {Record<string, string | number | boolean>} values
 * @property {string} model
 * @property {{ name: string, strength: number }[]} loras
 * @property {string[]} unread
 */
/** @typedef {{ class_type: string, inputs: Record<string, unknown> }} PromptNode */
/** @typedef {Map<string, PromptNode>} Nodes */

const MOST_NODES = 2000;
const MOST_STEPS = 50; // along links
const MOST_LORAS = 16;
const LONGEST_WORDS = 10_000; // characters, as in a request
const LONGEST_LINE = 5000; // characters of the settings of A1111
const LONGEST_UNREAD = 100; // characters
const NOT_SETTINGS = new Set(["Model hash", "VAE hash", "Lora hashes", "TI hashes", "Version"]);
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const OWN = /^AvatarForge/;
const DOLL = "AvatarForgePaperDoll";
/** Fields of a request that our own nodes have under the same names. */
const OWN_WORDS = ["prompt", "clothing", "style", "negative_prompt", "realism", "expression"];
const SAMPLERS = /** @type {Record<string, string>} */ ({
  Euler: "euler",
  "Euler a": "euler_ancestral",
  LMS: "lms",
  Heun: "heun",
  DPM2: "dpm_2",
  "DPM2 a": "dpm_2_ancestral",
  "DPM++ 2S a": "dpmpp_2s_ancestral",
  "DPM++ 2M": "dpmpp_2m",
  "DPM++ SDE": "dpmpp_sde",
  "DPM++ 2M SDE": "dpmpp_2m_sde",
  "DPM++ 3M SDE": "dpmpp_3m_sde",
  "DPM fast": "dpm_fast",
  "DPM adaptive": "dpm_adaptive",
  DDIM: "ddim",
  UniPC: "uni_pc",
  LCM: "lcm",
});
const SCHEDULERS = /** @type {Record<string, string>} */ ({
  Karras: "karras",
  Exponential: "exponential",
  "SGM Uniform": "sgm_uniform",
  Simple: "simple",
  Normal: "normal",
  DDIM: "ddim_uniform",
  Beta: "beta",
});

/**
 * @param {Map<string, string>} texts by their keywords
 * @returns {FoundSettings | null} null if there are no settings
 */
export function findSettings(texts) {
  const prompt = texts.get("prompt");
  const found = prompt ? readPrompt(prompt) : null;
  if (found) return found;
  const parameters = texts.get("parameters");
  return parameters ? readParameters(parameters) : null;
}

/**
 * @param {FoundSettings["source"]} source
 * @returns {FoundSettings}
 */
function nothing(source) {
  return { source, id: "", values: {}, model: "", loras: [], unread: [] };
}

/**
 * ComfyUI's API prompt. Numbers lose no digits, because a seed has up to 20.
 * @param {string} text
 * @returns {FoundSettings | null}
 */
function readPrompt(text) {
  const nodes = parseNodes(text);
  if (!nodes) return null;
  const all = [...nodes.values()];
  const save = all.find(({ class_type: type }) => type === "AvatarForgeSave");
  const id = String(save?.inputs.generation_id ?? "").toLowerCase();
  /** @type {FoundSettings} */
  const found = { ...nothing(save ? "avatarforge" : "comfyui"), id: ID.test(id) ? id : "" };
  const words = all.find(({ class_type: type, inputs }) => OWN.test(type) && typeof inputs.prompt === "string");
  for (const name of OWN_WORDS) take(found, name, words?.inputs[name]);
  const sampler = all.find(({ inputs }) => "steps" in inputs && ("seed" in inputs || "noise_seed" in inputs));
  if (sampler) readSampler(sampler, nodes, found);
  if (sampler?.class_type === DOLL) take(found, "family", "doll");
  if (!found.model) found.model = modelName(all.find((node) => modelName(node)));
  return Object.keys(found.values).length || found.id ? found : null;
}

/**
 * @param {string} text
 * @returns {Nodes | null}
 */
function parseNodes(text) {
  try {
    // A seed of more than 15 digits becomes a string.
    const prompt = JSON.parse(text.replace(/("(?:noise_)?seed":\s*)(\d{16,20})(?=\s*[,}])/g, '$1"$2"'));
    const nodes = Object.entries(prompt).filter(
      ([, node]) => typeof node?.class_type === "string" && isObject(node.inputs),
    );
    return nodes.length && nodes.length <= MOST_NODES ? new Map(nodes) : null;
  } catch {
    return null;
  }
}

/**
 * @param {PromptNode} sampler
 * @param {Nodes} nodes
 * @param {FoundSettings} found
 */
function readSampler({ inputs }, nodes, found) {
  take(found, "seed", valueOf(inputs.seed ?? inputs.noise_seed, nodes));
  for (const name of ["steps", "cfg", "scheduler"]) take(found, name, valueOf(inputs[name], nodes));
  take(found, "sampler", valueOf(inputs.sampler_name, nodes));
  // Ours have the words already, and their conditioning is no plain text.
  if (!("prompt" in found.values)) {
    take(found, "prompt", wordsOf(inputs.positive, nodes));
    take(found, "negative_prompt", wordsOf(inputs.negative, nodes));
  }
  const hasSize = (/** @type {PromptNode} */ node) => isSize(node.inputs.width) && isSize(node.inputs.height);
  const latent = upstream(inputs.latent_image, nodes, hasSize);
  // The paper doll draws without a latent.
  take(found, "width", latent?.inputs.width ?? inputs.width);
  take(found, "height", latent?.inputs.height ?? inputs.height);
  upstream(inputs.model, nodes, ({ class_type: type, inputs: { lora_name: name, strength_model: strength } }) => {
    if (/lora/i.test(type) && typeof name === "string" && found.loras.length < MOST_LORAS)
      found.loras.unshift({ name, strength: typeof strength === "number" ? strength : 1 });
    return false; // all of them, up to the model
  });
  found.model = modelName(upstream(inputs.model, nodes, (node) => Boolean(modelName(node))));
}

/**
 * Set a field if the value is one that a field can have.
 * @param {FoundSettings} found
 * @param {string} name
 * @param {unknown} value
 */
function take({ values }, name, value) {
  if (typeof value === "string" && value.trim()) values[name] = value.slice(0, LONGEST_WORDS);
  else if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) values[name] = value;
}

/**
 * The value of an input, also if a node of one value provides it.
 * @param {unknown} input
 * @param {Nodes} nodes
 */
function valueOf(input, nodes) {
  const source = linked(input, nodes);
  if (!source) return input;
  const plain = Object.entries(source.inputs).filter(([, value]) => !isObject(value));
  return plain.length === 1 ? plain[0][1] : undefined;
}

/**
 * The words that a conditioning is made of.
 * @param {unknown} input
 * @param {Nodes} nodes
 */
function wordsOf(input, nodes) {
  const encoder = upstream(input, nodes, ({ inputs }) => "text" in inputs || "text_g" in inputs);
  const text = valueOf(encoder?.inputs.text ?? encoder?.inputs.text_g, nodes);
  return typeof text === "string" ? text : undefined;
}

/**
 * The first node along the links for which `accept` is true, breadth first.
 * @param {unknown} input
 * @param {Nodes} nodes
 * @param {(node: PromptNode) => boolean} accept
 * @returns {PromptNode | undefined}
 */
function upstream(input, nodes, accept) {
  const first = linked(input, nodes);
  const queue = first ? [first] : [];
  for (let at = 0; at < queue.length && at < MOST_STEPS; at++) {
    if (accept(queue[at])) return queue[at];
    for (const value of Object.values(queue[at].inputs)) {
      const next = linked(value, nodes);
      if (next && !queue.includes(next)) queue.push(next);
    }
  }
  return undefined;
}

/**
 * @param {unknown} input
 * @param {Nodes} nodes
 */
function linked(input, nodes) {
  return Array.isArray(input) && input.length === 2 ? nodes.get(String(input[0])) : undefined;
}

/** @param {PromptNode | undefined} node */
function modelName(node) {
  const name = node?.inputs.ckpt_name ?? node?.inputs.unet_name;
  return typeof name === "string" ? name : "";
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null;
}

/** @param {unknown} value */
function isSize(value) {
  return typeof value === "number" && value >= 64 && value <= 4096;
}

/**
 * The text of A1111 and its descendants: the prompt, a line "Negative prompt: ...", and a last line of settings.
 * @param {string} text
 * @returns {FoundSettings | null}
 */
function readParameters(text) {
  const lines = text.trim().split("\n");
  const last = lines.length > 0 && /^Steps: \d+/.test(lines[lines.length - 1]) ? (lines.pop() ?? "") : "";
  const [words, ...negative] = lines.join("\n").split(/^Negative prompt: /m);
  /** @type {FoundSettings} */
  const found = nothing("a1111");
  const plain = words.replace(/<lora:([^:<>]{1,200}):(-?\d+(?:\.\d+)?)[^<>]{0,50}>/g, (_, name, strength) => {
    if (found.loras.length < MOST_LORAS) found.loras.push({ name, strength: Number(strength) });
    return "";
  });
  take(found, "prompt", plain.trim());
  take(found, "negative_prompt", negative.join("").trim());
  // Values with commas or colons are quoted.
  const pairs = last.slice(0, LONGEST_LINE).matchAll(/([\w ]{1,40}): ("(?:\\.|[^"\\])*"|[^,]*)(?:, |$)/g);
  for (const [, name, value] of pairs) readSetting(name.trim(), value, found);
  return last && found.values.prompt ? found : null;
}

/**
 * @param {string} name
 * @param {string} value
 * @param {FoundSettings} found
 */
function readSetting(name, value, found) {
  const size = /^(\d{1,5})x(\d{1,5})$/.exec(value);
  const number = Number(value);
  if (name === "Size" && size) {
    take(found, "width", Number(size[1]));
    take(found, "height", Number(size[2]));
  } else if (name === "Steps") take(found, "steps", number);
  else if (name === "CFG scale") take(found, "cfg", number);
  else if (name === "Clip skip") take(found, "clip_skip", number);
  else if (name === "Seed" && /^\d{1,20}$/.test(value)) take(found, "seed", value);
  else if (name === "Model") found.model = value;
  else if (name === "Sampler") readSamplerName(value, found);
  else if (name === "Schedule type") {
    if (Object.hasOwn(SCHEDULERS, value)) take(found, "scheduler", SCHEDULERS[value]);
  } else if (!NOT_SETTINGS.has(name)) found.unread.push(`${name}: ${value}`.slice(0, LONGEST_UNREAD));
}

/**
 * Older versions write the scheduler after the sampler: "DPM++ 2M Karras".
 * @param {string} value
 * @param {FoundSettings} found
 */
function readSamplerName(value, found) {
  const scheduler = Object.keys(SCHEDULERS).find((name) => value.endsWith(` ${name}`));
  const name = scheduler ? value.slice(0, -scheduler.length - 1) : value;
  if (Object.hasOwn(SAMPLERS, name)) take(found, "sampler", SAMPLERS[name]);
  else found.unread.push(`Sampler: ${value}`.slice(0, LONGEST_UNREAD));
  if (scheduler) take(found, "scheduler", SCHEDULERS[scheduler]);
}
