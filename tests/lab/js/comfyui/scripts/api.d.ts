import type { ComfyApi } from "../../../../../web/shared/types";

export const api: ComfyApi;
