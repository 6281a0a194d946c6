// Images dropped anywhere on the page, or chosen; sent while answering goes on.
import { useEffect, useState } from "react";
import { chosen, filesOf } from "./dropped";
import { NOTHING, Uploader } from "./uploader";

export interface Uploads {
  readonly state: typeof NOTHING;
  /** Something is held over the page. */
  readonly isOver: boolean;
  readonly choose: (files: FileList) => void;
  readonly cancel: () => void;
  readonly dismiss: () => void;
}

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

export function useUpload(isAllowed: boolean): Uploads {
  const [state, setState] = useState(NOTHING);
  const [isOver, setIsOver] = useState(false);
  const [uploader] = useState(() => new Uploader(setState));
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault(); // else the browser opens the file in place of the page
      if (event.dataTransfer) event.dataTransfer.dropEffect = isAllowed ? "copy" : "none";
      setIsOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setIsOver(false);
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event) || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      setIsOver(false);
      if (isAllowed && event.dataTransfer)
        void filesOf(event.dataTransfer).then((files) => uploader.add(files));
    };
    window.addEventListener("dragover", over);
    window.addEventListener("dragleave", leave);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
    };
  }, [uploader, isAllowed]);
  useEffect(() => {
    if (state.isOver) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [state.isOver]);
  return {
    state,
    isOver,
    choose: (files) => uploader.add(chosen(files)),
    cancel: () => uploader.cancel(),
    dismiss: () => setState(NOTHING),
  };
}
