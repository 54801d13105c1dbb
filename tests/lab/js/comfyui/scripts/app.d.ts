import type { ComfyApp } from "../../../../../web/shared/types";

export const app: ComfyApp;
