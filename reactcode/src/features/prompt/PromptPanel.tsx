// The panel in which a person says what is looked for; its code comes when it is opened for the first time.
import { lazy, Suspense } from "react";
import { Dialog, type Session } from "../../ui";

interface Props {
  readonly session: Session;
}

/** It is away when the server has another version of the page. */
const Prompt = lazy(() =>
  import("./Prompt").then(
    (module) => ({ default: module.Prompt }),
    () => ({ default: Away }),
  ),
);

function Away({ session }: Props) {
  return (
    <Dialog title="What are you looking for?" onClose={() => session.engine.toggle("prompt")}>
      <p>This panel cannot be loaded; reload the page.</p>
    </Dialog>
  );
}

export function PromptPanel({ session }: Props) {
  return (
    <Suspense fallback={null}>
      <Prompt session={session} />
    </Suspense>
  );
}
