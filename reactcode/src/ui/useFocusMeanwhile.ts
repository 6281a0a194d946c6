// What asks for attention takes the keyboard's focus while it is there, and gives it back.
import { useEffect, type RefObject } from "react";

export function useFocusMeanwhile(host: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const before = document.activeElement;
    host.current?.focus({ preventScroll: true });
    return () => {
      const isFree = document.activeElement === null || document.activeElement === document.body;
      if (isFree && before instanceof HTMLElement && before.isConnected)
        before.focus({ preventScroll: true });
    };
  }, [host]);
}
