// One figure of the progress panel: a title and what is under it.
import type { ReactNode } from "react";

interface Props {
  readonly title: string;
  readonly className?: string;
  readonly children: ReactNode;
}

export function Figure({ title, className = "", children }: Props) {
  return (
    <section className={`figure ${className}`}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}
