// What the annotators are to go by: shown once before the first image, and whenever it is asked for.
import { lazy, Suspense, useEffect } from "react";
import * as api from "../../api";
import type { Status } from "../../api";
import { keep, kept } from "../../core/browser";
import { away } from "../../core/words";
import { type Session, Dialog, useAsked } from "../../ui";

/** A fifth of all code. It is away when the server has another version of the page: then the text comes as it is. */
const Markdown = lazy(() =>
  import("./Markdown").then(
    (module) => ({ default: module.Markdown }),
    () => ({ default: Plain }),
  ),
);

function Plain({ text }: { readonly text: string }) {
  return <article className="plain">{text}</article>;
}

export function Instructions({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const { status, panel } = state;
  const isNews = hasNews(status);
  useEffect(() => {
    if (isNews && engine.state.panel === null) engine.toggle("instructions");
  }, [engine, isNews]);
  if (panel !== "instructions" || status === null) return null;
  return (
    <Dialog title="Instructions" className="instructions" onClose={() => engine.toggle("instructions")}>
      <Text key={status.instructions} seenAs={keyOf(status)} version={status.instructions ?? null} />
    </Dialog>
  );
}

function keyOf({ id }: Status): string {
  return `ia:instructions:${id}`;
}

/** Whether there are instructions that this browser has not shown yet. */
function hasNews(status: Status | null): boolean {
  return status?.instructions != null && kept(keyOf(status), (seen) => seen) !== status.instructions;
}

interface TextProps {
  readonly seenAs: string;
  readonly version: string | null;
}

function Text({ seenAs, version }: TextProps) {
  const ask = async () => {
    const { text } = await api.instructions();
    keep(seenAs, version);
    return text ?? "There are no instructions in this run.";
  };
  const { answer, error } = useAsked(ask, `${seenAs} ${version}`);
  const text = answer ?? (error === null ? "" : away("the instructions cannot be shown now"));
  return (
    <Suspense fallback={<article>{text}</article>}>
      <Markdown text={text} />
    </Suspense>
  );
}
