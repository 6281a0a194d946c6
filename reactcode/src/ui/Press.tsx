// A button that leaves the keyboard's focus where it is when it is clicked, so that keys go on answering.
import type { ButtonHTMLAttributes } from "react";

export function Press(props: ButtonHTMLAttributes<HTMLButtonElement>) {
  return <button type="button" onMouseDown={(event) => event.preventDefault()} {...props} />;
}
