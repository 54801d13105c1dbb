// Types of the API's responses and of ComfyUI's frontend, as far as the scripts use them. Only the type check reads
// this file. The API's models are in routes/; its OpenAPI document describes every field.
import type english from "../../locales/en/main.json";

export type MessageKey = keyof (typeof english)["avatarforge"];
/** Texts for the codes of errors and the types of a 422's problems. English has none: the server's are English. */
type ErrorKey = `error_${string}` | `problem_${string}`;
/** Returns the text in the user's language, each {name} replaced by `values.name`; the key if there is no text. */
export type Translate = (key: MessageKey | ErrorKey, values?: Record<string, string | number>) => string;
/** The values that an error has in addition to its code. */
export type ErrorParameters = Record<string, string | number>;

export type View = "front" | "back" | "side" | "quarter";
export type FileKind = "pose" | "reference";
export type Status = "queued" | "processing" | "completed" | "failed";

export interface Dimensions {
  width: number;
  height: number;
}

export interface StoredFile {
  file_id: string;
  filename: string;
  mime_type: string;
  dimensions: Dimensions;
}

export interface UploadedFile extends StoredFile {
  is_duplicate: boolean;
}

export interface FilePage {
  total: number;
  files: StoredFile[];
  limit: number;
  next_cursor: string | null;
}

export interface OutputFile {
  filename: string;
  url: string;
  pose_type: View | null;
  dimensions: Dimensions;
  seed: number | string | null;
}

/** A seed too large for a JavaScript number is a string of digits (see json.mjs). */
export interface Parameters {
  prompt: string;
  pose_file_id: string | null;
  reference_file_id: string | null;
  clothing: string | null;
  style: string | null;
  realism: boolean;
  negative_prompt: string | null;
  width: number;
  height: number;
  steps: number;
  cfg: number;
  sampler: string;
  scheduler: string;
  seed: number | string;
  checkpoint: string;
  pose_strength: number | null;
  pose_mode: string | null;
  reference_strength: number | null;
  consistency: number | null;
  turnaround: "batch" | "sequential" | null;
}

export interface InputReceipt {
  role: string;
  pose_type: View | null;
  kind: string;
  node_type: string;
  model: string;
  strength: number;
  steps: { first: number; last: number };
}

export interface Preview {
  view: View | null;
  url: string;
}

export interface Generation {
  generation_id: string;
  status: Status;
  kind: "avatar" | "pose" | "all_poses" | "graph";
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  error: string | null;
  error_code: string | null;
  comfyui_prompt_id: string;
  output_files: OutputFile[];
  parameters: Parameters | null;
  reroll: View | null;
  progress: number;
  current: { view: View | null; step: number; steps: number } | null;
  queue_position: number | null;
  eta_seconds: number | null;
  previews: Preview[];
  inputs: InputReceipt[];
  warnings: string[];
  warning_details: Warning[];
}

/** `code` is null if an earlier release wrote the warning. */
export interface Warning {
  code: string | null;
  detail: string;
  parameters: Record<string, string | number | string[]>;
}

export interface GenerationPage {
  total: number;
  generations: Generation[];
  limit: number;
  next_cursor: string | null;
}

export interface GenerationQuery {
  limit: number;
  status?: string;
  cursor?: string | null;
}

/** The data of an event of GET /events: the changed fields, and in some events the whole generation. */
export type GenerationChange = Partial<Generation> & { generation_id: string; at: string; generation?: Generation };

export interface Skeleton extends Dimensions {
  joints: ([number, number] | null)[];
  bones: [number, number][];
}

export interface Pose {
  name: View;
  skeleton: Skeleton;
}

export interface LoraParameter {
  name: string;
  strength: number;
  clip_strength?: number | null;
}

/** An installed LoRA. `family_label` is filled in by the form. */
export interface LoraFile {
  name: string;
  family: string | null;
  family_label?: string;
  problem: string | null;
}

export interface InstalledModel {
  name: string;
  folder: string;
  family: string | null;
  family_label: string | null;
  variant: string | null;
  variant_label: string | null;
  supported: boolean;
  problem: string | null;
  missing: { kind: string; folder: string; name: string | null }[];
  settings: string[];
}

export interface Capabilities {
  models: InstalledModel[];
  families: { name: string; label: string; variants: string[]; installed: number }[];
  loras: LoraFile[];
  reasons: string[];
  samplers: string[];
  schedulers: string[];
}

/** One field of a generation request, as GET /request_fields describes it. */
export interface FormField {
  name: string;
  description: string;
  group: "main" | "advanced" | "slot";
  control: "text" | "number" | "digits" | "switch" | "choice" | "installed" | "file" | "loras";
  required: boolean;
  default: string | number | boolean | null;
  applies: "always" | "several_views" | "pose" | "reference" | "family";
  minimum: number | null;
  maximum: number | null;
  step: number | null;
  max_length: number | null;
  rows: number;
  choices: string[];
  suggestions: string[];
  max_items: number | null;
  source: "checkpoints" | "models" | "families" | "loras" | "samplers" | "schedulers" | null;
}

/** One problem of a 422: its location in the request, a sentence, and pydantic's type of the problem. */
export interface FieldProblem {
  loc: (string | number)[];
  msg: string;
  type: string;
}

/** A generation that was deleted in the panel but not yet on the server. */
export interface PendingDelete {
  generation: Generation;
  timer: number;
  sent?: boolean;
}

/** What only the graph editor can do. */
export interface EditorActions {
  insertNode(kind: FileKind, fileId: string): void;
  openGraph(generation: Generation): Promise<void>;
}

/** ComfyUI's `api` object, and its replacement on the standalone page. */
export interface ComfyApi {
  apiURL(path: string): string;
  fetchApi(path: string, options?: RequestInit): Promise<Response>;
}

export interface Widget {
  name: string;
  value: unknown;
  serialize?: boolean;
  callback?: (value: unknown) => void;
}

export interface DomWidgetOptions {
  serialize: boolean;
  hideOnZoom: boolean;
  getMinHeight(): number;
  onDraw(): void;
}

export interface GraphNode {
  comfyClass: string;
  pos: [number, number];
  size: [number, number];
  widgets?: Widget[];
  graph?: { change?(): void };
  addDOMWidget(name: string, type: string, element: HTMLElement, options: DomWidgetOptions): Widget;
  computeSize(): [number, number];
  setSize?(size: [number, number]): void;
  onConfigure?: () => void;
  onWidgetChanged?(name: string, value: unknown, oldValue: unknown, widget: Widget): void;
  onDragOver?: (event: DragEvent) => boolean;
  onDragDrop?: (event: DragEvent) => Promise<boolean>;
  pasteFiles?: (files: FileList) => boolean;
}

export interface GraphCanvas {
  visible_area: [left: number, top: number, width: number, height: number];
  selected_nodes?: Record<string, GraphNode>;
  graph: { add(node: GraphNode): void; beforeChange?(): void; afterChange?(): void };
  selectNode?(node: GraphNode): void;
  setDirty(foreground: boolean, background: boolean): void;
}

export interface SidebarTab {
  id: string;
  icon: string;
  iconBadge: string | (() => string | null);
  title: string;
  label: string;
  tooltip: string;
  type: "custom";
  render(container: HTMLElement): void;
}

export interface ExtensionManager {
  setting: { get(id: string): unknown };
  toast: { add(message: { severity: "error" | "success"; summary: string; detail?: string; life: number }): void };
  sidebarTab: { activeSidebarTabId: string | null; toggleSidebarTab(id: string): void };
  registerSidebarTab(tab: SidebarTab): void;
  getSidebarTabs(): SidebarTab[];
}

export interface Extension {
  name: string;
  settings: object[];
  commands: { id: string; label: string; icon: string; function(): void }[];
  keybindings: { commandId: string; combo: { key: string; ctrl?: boolean; alt?: boolean; shift?: boolean } }[];
  init(): Promise<void>;
  setup(): void;
  nodeCreated(node: GraphNode): void;
}

export interface ComfyApp {
  canvas: GraphCanvas;
  extensionManager: ExtensionManager;
  loadApiJson(prompt: object, name: string): void;
  registerExtension(extension: Extension): void;
}

declare global {
  interface Window {
    LiteGraph: { createNode(type: string): GraphNode };
  }
}
