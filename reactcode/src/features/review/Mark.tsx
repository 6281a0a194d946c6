// A label as a mark that differs in shape, sign and colour.
import type { Label } from "../../api";
import { Icon } from "../../ui";

export function Mark({ label }: { readonly label: Label }) {
  return (
    <span className="mark" data-label={label}>
      <Icon name={label === "skipped" ? "skip" : label} />
    </span>
  );
}
