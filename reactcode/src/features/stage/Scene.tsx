// What stands where the image would be when there is none.
import type { Status } from "../../api";
import { answeredCount, sceneOf, type Scene as Name } from "../../core/session";
import { noun, count, counted, nameOf } from "../../core/words";
import { Downloads } from "../info";
import { type Session, Icon } from "../../ui";
import { ChooseImages, type Uploads } from "../upload";

const WORDS: Readonly<Record<Exclude<Name, "image" | "done">, readonly [string, string]>> = {
  connecting: ["Connecting…", ""],
  unauthorised: ["This link is not valid any more", "Open the link printed in the terminal."],
  listing: ["Looking through the folder…", "The first images appear soon."],
  empty: ["There are no images in this folder", "Images that you put there appear here by themselves."],
  elsewhere: [
    "Nothing to ask right now",
    "Other people are answering the last images; an image that they leave comes here.",
  ],
  loading: ["Waiting for the server…", "Your answers are kept."],
};

interface Props {
  readonly session: Session;
  /** Null where this session takes no images. */
  readonly upload: Uploads | null;
}

export function Scene({ session, upload }: Props) {
  const scene = sceneOf(session.state);
  if (scene === "image") return null;
  if (scene === "done") return <Done status={session.state.status} />;
  const [title, text] = WORDS[scene];
  return (
    <section className="scene" id="scene" data-scene={scene}>
      <h1>{title}</h1>
      <p>{scene === "empty" && upload ? "Drop images, folders or a zip here." : text}</p>
      {scene === "empty" && upload && <ChooseImages upload={upload} />}
    </section>
  );
}

function Done({ status }: { readonly status: Status | null }) {
  if (status === null) return null;
  return (
    <section className="scene done" id="scene" data-scene="done">
      <Icon name="done" />
      <h1>All {noun(status)} are answered</h1>
      <p>
        {counted(answeredCount(status), "answer", "answers")}: {count(status.positives)}{" "}
        {nameOf(status, "positive")}, {count(status.negatives)} {nameOf(status, "negative")},{" "}
        {count(status.skipped)} skipped
        {status.unreadable > 0 && `; ${count(status.unreadable)} unreadable`}
      </p>
      <Downloads status={status} />
    </section>
  );
}
