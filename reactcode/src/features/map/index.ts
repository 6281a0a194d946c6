// The map of the folder: every image a point, near ones alike; imports core, ui and review. Its code is loaded when it opens.
export { FolderMap } from "./FolderMap";
