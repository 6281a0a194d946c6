// A key as it is drawn on a button.
import { keyLabel } from "../core/keys";

export function Key({ name }: { readonly name: string }) {
  return <kbd aria-hidden="true">{keyLabel(name)}</kbd>;
}
