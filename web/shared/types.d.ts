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
  expression: string | null;
  dimensions: Dimensions;
  seed: number | string | null;
  take: number;
  takes: number;
  scores: Scores | null;
}

/** A picture that was made of a view. One of them is current. */
export interface Take {
  take: number;
  current: boolean;
  filename: string;
  url: string;
  dimensions: Dimensions;
  seed: number | string | null;
  scores: Scores | null;
}

/** A seed too large for a JavaScript number is a string of digits (see json.mjs). */
export interface Parameters {
  prompt: string;
  pose_file_id: string | null;
  /** Older generations lack these two. */
  pose_id?: string | null;
  pose_mirrored?: boolean | null;
  reference_file_id: string | null;
  references?: Reference[] | null;
  model?: string | null;
  clothing: string | null;
  style: string | null;
  outfit: string | null;
  expression?: string | null;
  realism: boolean;
  negative_prompt: string | null;
  width: number;
  height: number;
  steps: number;
  cfg: number | null;
  sampler: string | null;
  scheduler: string | null;
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
  picture: number | null;
  kind: string;
  node_type: string;
  model: string;
  strength: number;
  steps: { first: number; last: number };
  file_id?: string | null;
}

/** A reference picture of a request, in a role. */
export interface Reference {
  file_id: string;
  role: string;
  strength?: number;
  view?: string | null;
}

/** A finished picture that is being dragged. `number` counts from 1. */
export interface DraggedPicture {
  generation_id: string;
  number: number;
  filename: string;
}

export interface Preview {
  view: View | null;
  url: string;
}

export interface Generation {
  generation_id: string;
  status: Status;
  kind: "avatar" | "pose" | "all_poses" | "expressions" | "graph";
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  error: string | null;
  error_code: string | null;
  comfyui_prompt_id: string;
  output_files: OutputFile[];
  parameters: Parameters | null;
  character_id: string | null;
  batch_id?: string | null;
  favourite: boolean;
  tags: string[];
  reroll: View | null;
  reroll_position: number | null;
  waiting_rerolls: { position: number; pose_type: View | null; seed: number | string }[];
  judging: boolean;
  tries: Tried[];
  progress: number;
  current: { view: View | null; step: number; steps: number } | null;
  queue_position: number | null;
  eta_seconds: number | null;
  previews: Preview[];
  inputs: InputReceipt[];
  judgements: Judgement[];
  warnings: string[];
  warning_details: Warning[];
}

/** How well a picture matches what was asked for; null: it could not be measured. */
export interface Scores {
  pose: number | null;
  view: "right" | "wrong" | "unsure" | null;
  palette: number | null;
  identity: number | null;
  clean: boolean | null;
}

export interface Measure {
  value: number | string | boolean | null;
  method: string | null;
  model: string | null;
  reason: string | null;
  details: Record<string, unknown>;
}

/** How the current take of a picture was judged. `position` counts from 1. */
export type Judgement = {
  position: number;
  pose_type: View | null;
  take: number;
  comfyui_prompt_id: string;
} & Record<keyof Scores, Measure>;

/** How often a picture was made until it was good enough. `position` counts from 1. */
export interface Tried {
  position: number;
  pose_type: View | null;
  conditions: string[];
  tries: number;
  limit: number;
  passed: boolean | null;
  take: number | null;
}

export type ReferenceRole = "identity" | "face" | "outfit" | "style";

export interface CharacterReference {
  file_id: string;
  role: ReferenceRole;
  strength?: number;
  view: string | null;
}

export interface Outfit {
  name: string;
  words: string;
  file_id: string | null;
}

export interface NamedExpression {
  name: string;
  words: string;
}

export interface CharacterSummary {
  character_id: string;
  name: string;
  version: number;
  description: string;
  thumbnail: string | null;
  created_at: string;
  updated_at: string;
}

export interface CharacterPageOfList {
  total: number;
  characters: CharacterSummary[];
  limit: number;
  next_cursor: string | null;
}

/** What a version of a character says: what the user edits, and what PATCH takes. */
export interface CharacterContent {
  name: string;
  description: string;
  negative: string | null;
  clothing: string | null;
  style: string | null;
  realism: boolean | null;
  references: CharacterReference[];
  model: string | null;
  family: string | null;
  template: string | null;
  loras: LoraParameter[];
  seed: number | string | null;
  defaults: Record<string, unknown>;
  outfits: Outfit[];
  expressions: NamedExpression[];
}

export interface Character extends CharacterSummary, CharacterContent {
  newest_version: number;
}

export interface ImportedCharacter extends Character {
  outcome: "created" | "copied" | "restored" | "replaced" | "unchanged";
  missing: { kind: string; name: string }[];
}

export interface CharacterVersion {
  version: number;
  name: string;
  created_at: string;
}

export interface LibraryPose {
  pose_id: string;
  name: string;
  description: string | null;
  built_in: boolean;
  skeleton: Skeleton;
}

export interface PoseLibraryPage {
  built_in: LibraryPose[];
  poses: LibraryPose[];
  total: number;
  next_cursor: string | null;
}

/** One picture of a batch, with what it was accepted with. */
export interface BatchItem {
  generation_id: string;
  status: Status;
  outfit: string | null;
  expression: string | null;
  view: string | null;
  pose_id: string | null;
  seed: number | string | null;
}

export interface BatchSummary {
  batch_id: string;
  name: string | null;
  status: Status;
  total: number;
  completed: number;
  failed: number;
  deleted: number;
  eta_seconds: number | null;
  created_at: string;
}

export interface Batch extends BatchSummary {
  generations: BatchItem[];
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

/** What the gallery shows. Times as in the API. */
export interface GalleryQuery {
  q?: string;
  status?: string;
  kind?: string;
  view?: string;
  model?: string;
  character_id?: string;
  tag?: string;
  favourite?: boolean;
  created_from?: string;
  created_before?: string;
  sort?: string;
}

/** `offset` counts from the page of `cursor`. */
export interface GenerationQuery extends GalleryQuery {
  limit: number;
  cursor?: string | null;
  offset?: number;
}

/** A value of a filter, and how many generations have it. */
export interface OfferedValue {
  value: string;
  name: string;
  number: number;
}

export interface GalleryFilters {
  models: OfferedValue[];
  characters: OfferedValue[];
  tags: OfferedValue[];
  views: OfferedValue[];
  kinds: OfferedValue[];
  favourites: number;
}

export interface MarkedGeneration {
  generation_id: string;
  favourite: boolean;
  tags: string[];
}

export interface MarksBody {
  generation_ids: string[];
  favourite?: boolean;
  add_tags?: string[];
  remove_tags?: string[];
}

export type SlotName =
  | "prompt"
  | "negative"
  | "character"
  | "pose"
  | "reference"
  | "seed"
  | "width"
  | "height"
  | "steps"
  | "cfg"
  | "output";
/** The marks of a node: the names of its inputs for each slot. */
export type SlotMarks = Partial<Record<SlotName, string[]>>;

/** A place that a slot fills: an input of a node, or a whole node for the output. */
export interface TemplatePlace {
  node: string;
  input?: string;
}

/** The editor's graph as the API takes it. `unused` names marked nodes that are not in the prompt. */
export interface TemplateGraph {
  prompt: ApiPrompt;
  workflow: object;
  slots: Partial<Record<SlotName, TemplatePlace[]>>;
  unused: string[];
}

export type TemplateBody = Omit<TemplateGraph, "unused"> & { name?: string };

export interface FoundSlot {
  node: string;
  title: string;
  class_type: string;
  input: string;
  source: "request" | "title" | "app" | "node" | "link";
}

export interface MissingNode {
  node: string;
  title: string;
  class_type: string;
}

export interface MissingModel extends MissingNode {
  input: string;
  value: string;
}

export interface TemplateInspection {
  slots: Partial<Record<SlotName, FoundSlot[]>>;
  missing_nodes: MissingNode[];
  missing_models: MissingModel[];
  problems: string[];
}

export interface Template {
  template_id: string;
  name: string;
  version: number;
  slots: Partial<Record<SlotName, FoundSlot[]>>;
}

/** An exported template. */
export interface TemplateDocument {
  name: string;
  prompt: ApiPrompt;
  workflow?: object | null;
}

export interface TemplatePage {
  total: number;
  templates: Template[];
  limit: number;
  next_cursor: string | null;
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

/** A pose of the library. */
export interface LibraryPose {
  pose_id: string;
  name: string;
  /** What a built-in pose shows, in English. */
  description: string | null;
  built_in: boolean;
  /** The stored OpenPose JSON of a saved pose. */
  file_id: string | null;
  skeleton: Skeleton;
}

export interface LibraryPoseDocument extends LibraryPose {
  /** One frame of OpenPose JSON, in pixels. */
  pose: object;
}

export interface PoseLibraryPage {
  built_in: LibraryPose[];
  poses: LibraryPose[];
  total: number;
  limit: number;
  next_cursor: string | null;
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

/** A way to apply a pose or a reference. */
export interface InputMethod {
  name: string;
  works: boolean;
}

/** A preset style of GET /styles. */
export interface Style {
  name: string;
  description: string;
  drawn: boolean;
}

/** The bytes that a file may have. */
/** GET /request_fields. */
export interface RequestFields {
  fields: FormField[];
  limits: UploadLimits;
  /** The names of the built-in ones. */
  expressions: string[];
}

export interface UploadLimits {
  file_bytes: number;
  pose_json_bytes: number;
}

/** GET /model_guide: which files suit which GPU memory, in gigabytes. */
export interface ModelGuide {
  gpu: { name: string; memory: number } | null;
  choices: GuideChoice[];
}

export interface GuideChoice {
  family: string;
  label: string;
  memory: number;
  fits: boolean | null;
  files: { name: string; folder: string; size: number | null; page: string; use: string }[];
}

/** Why something cannot be done, as `code` says it for the error of such a request. */
export interface Reason {
  code: string;
  detail: string;
  parameters: Record<string, string | number>;
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
  pose?: InputMethod[];
  reference?: InputMethod[];
  references?: { method: string; most: number }[];
  defaults?: { width: number; height: number; steps: number } | null;
  /** Request fields that most models have, but not this one. */
  lacks: string[];
  /** No model: the pictures are drawn. */
  drawn: boolean;
}

/** What the user says about a model file; null is left to its header and name. */
export interface ModelOverride {
  family: string | null;
  variant: string | null;
  distillation: string | null;
  prediction: string | null;
}

type ToldBy = "header" | "name" | "override";

/** A file of GET /models. */
export interface ModelFileInfo {
  folder: string;
  name: string;
  family: string | null;
  family_label: string | null;
  variant: string | null;
  told_by: ToldBy;
  variant_told_by: ToldBy;
  problem: string | null;
  override: ModelOverride | null;
}

export interface ModelFamily {
  name: string;
  label: string;
  variants: { name: string; label: string }[];
}

export interface Capabilities {
  models: InstalledModel[];
  families: { name: string; label: string; variants: string[]; installed: number; drawn: boolean }[];
  /** Of requests that name neither a family nor a model; null: that of the chosen model. */
  default_family: string | null;
  loras: LoraFile[];
  reasons: string[];
  reason_details: Reason[];
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
  applies: "always" | "several_views" | "pose" | "reference" | "family" | "pixel_art";
  minimum: number | null;
  maximum: number | null;
  step: number | null;
  max_length: number | null;
  rows: number;
  choices: string[];
  suggestions: string[];
  max_items: number | null;
  source: "checkpoints" | "models" | "families" | "loras" | "samplers" | "schedulers" | "templates" | null;
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
  /** Put a node that loads a finished picture into the graph. */
  insertView(generationId: string, number: number): void;
  openGraph(generation: Generation): Promise<void>;
  openTemplate(template: TemplateDocument): void;
}

/** ComfyUI's `api` object, and its replacement on the standalone page. */
export interface ComfyApi {
  apiURL(path: string): string;
  fetchApi(path: string, options?: RequestInit): Promise<Response>;
}

/** An API prompt by node id. The frontend has no class_type for a node whose pack is not installed. */
export type ApiPrompt = Record<
  string,
  { class_type: string | null; inputs: Record<string, unknown>; _meta?: { title?: string | null } }
>;

export interface Widget {
  name: string;
  value: unknown;
  type?: string;
  options?: { serialize?: boolean };
  serialize?: boolean;
  /** Hidden until the user asks for advanced inputs. */
  advanced?: boolean;
  callback?: (value: unknown) => void;
}

export interface DomWidgetOptions {
  serialize: boolean;
  hideOnZoom: boolean;
  getMinHeight(): number;
  onDraw(): void;
}

export interface Graph {
  nodes: GraphNode[];
  inputs: { name: string; linkIds: (number | string)[] }[]; // of a subgraph
  getLink(id: number | string): { target_id: number | string; target_slot: number } | undefined;
  getNodeById(id: number | string): GraphNode | null | undefined;
  beforeChange?(): void;
  afterChange?(): void;
  change?(): void;
}

/** An entry of a context menu. */
export interface MenuItem {
  content: string;
  callback?: () => void;
  has_submenu?: boolean;
  submenu?: { options: (MenuItem | null)[] };
}

export interface GraphNode {
  id: number | string;
  type: string;
  title: string;
  comfyClass: string;
  constructor: Function & { nodeData?: { output_node?: boolean } };
  properties?: Record<string, unknown>;
  badges?: (() => object)[];
  inputs?: { name: string; widget?: { name: string } }[];
  outputs?: { links?: (number | string)[] | null }[];
  isVirtualNode?: boolean;
  isSubgraphNode?(): boolean;
  subgraph?: Graph;
  pos: [number, number];
  size: [number, number];
  widgets?: Widget[];
  graph?: Graph;
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
  graph: {
    add(node: GraphNode): void;
    getNodeOnPos?(x: number, y: number): GraphNode | null | undefined;
    beforeChange?(): void;
    afterChange?(): void;
  };
  selectNode?(node: GraphNode): void;
  getWidgetAtCursor?(node?: GraphNode): Widget | undefined;
  canvas?: HTMLCanvasElement;
  convertEventToCanvasOffset?(event: MouseEvent): [number, number];
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
  command: { execute(id: string): Promise<void> };
  workflow?: { activeWorkflow?: { filename?: string; isTemporary?: boolean } | null };
}

export interface Extension {
  name: string;
  settings: object[];
  commands: { id: string; label: string; icon: string; function(): void }[];
  keybindings: { commandId: string; combo: { key: string; ctrl?: boolean; alt?: boolean; shift?: boolean } }[];
  init(): Promise<void>;
  setup(): void;
  menuCommands?: { path: string[]; commands: string[] }[];
  getNodeMenuItems?(node: GraphNode): (MenuItem | null)[];
  getCanvasMenuItems?(canvas: GraphCanvas): (MenuItem | null)[];
  nodeCreated(node: GraphNode): void;
}

export interface ComfyApp {
  canvas: GraphCanvas;
  extensionManager: ExtensionManager;
  rootGraph?: Graph;
  graph: Graph;
  graphToPrompt(): Promise<{ output: ApiPrompt; workflow: object }>;
  loadApiJson(prompt: object, name: string): void | Promise<void>;
  loadGraphData(workflow: object): Promise<void>;
  registerExtension(extension: Extension): void;
}

declare global {
  interface Window {
    LiteGraph: { createNode(type: string): GraphNode };
    LGraphBadge?: new (options: { text: string; fgColor: string; bgColor: string }) => object;
  }
}
