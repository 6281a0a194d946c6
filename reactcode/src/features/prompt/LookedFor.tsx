// What is looked for, in the words of the person who said it; a click changes them.
import { keyLabel, perform } from "../../core/keys";
import { type Session, Icon, Press } from "../../ui";

export function LookedFor({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const prompt = state.status?.prior?.prompt ?? "";
  if (prompt === "") return null;
  return (
    <Press
      id="looked-for"
      className="looked-for"
      aria-label={`looking for: ${prompt}`}
      title={`Looking for: ${prompt} (${keyLabel(bindings.prompt)} changes it)`}
      onClick={() => perform(engine, "prompt", "button")}
    >
      <Icon name="words" />
      <span className="unseen">looking for: </span>
      <bdi>{prompt}</bdi>
    </Press>
  );
}
