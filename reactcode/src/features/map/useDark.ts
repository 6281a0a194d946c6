// Whether the system wants a dark page: the points are drawn in other colours then.
import { useSyncExternalStore } from "react";

const DARK = "(prefers-color-scheme: dark)";

export function useDark(): boolean {
  return useSyncExternalStore(subscribe, () => asked()?.matches ?? false);
}

function asked(): MediaQueryList | null {
  return typeof window.matchMedia === "function" ? window.matchMedia(DARK) : null;
}

function subscribe(listener: () => void): () => void {
  const query = asked();
  query?.addEventListener("change", listener);
  return () => query?.removeEventListener("change", listener);
}
