// What a person looks for, in words: while they are typed, the known classes and the images that they lead to.
import { useEffect, useRef, useState, type FormEvent } from "react";
import { pictureAddress, type Queued } from "../../api";
import { named, noun, reasonOf } from "../../core/words";
import { type Session, Dialog, Key } from "../../ui";
import { usePreview } from "./usePreview";
import "./prompt.css";

const THUMBNAIL_PX = 256;
const SHOWN = 9;

export function Prompt({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const kept = state.status?.prior?.prompt ?? "";
  const [text, setText] = useState(kept);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [isSending, setSending] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const { preview, isCurrent, trouble, isGood } = usePreview(text, engine.client);
  const words = text.trim();
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const keep = async () => {
    if (words === kept) return engine.toggle("prompt");
    setSending(true);
    try {
      await engine.wishes.lookFor(words);
    } catch (error) {
      setRefusal(reasonOf(error, "the words were not kept"));
    } finally {
      setSending(false);
    }
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (isGood && !isSending) void keep();
  };
  const classes = preview?.classes ?? [];
  return (
    <Dialog title="What are you looking for?" className="prompt" onClose={() => engine.toggle("prompt")}>
      <form className="saying" onSubmit={onSubmit}>
        <input
          id="prompt"
          ref={input}
          type="text"
          dir="auto"
          autoComplete="off"
          enterKeyHint="done"
          placeholder="a lynx at night, a bobcat"
          aria-label="What are you looking for?"
          aria-describedby="prompt-how"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setRefusal(null);
          }}
        />
        <button type="submit" id="prompt-keep" className="switch" disabled={!isGood || isSending}>
          {words === "" && kept !== "" ? "Drop the words" : "Ask these first"} <Key name="enter" />
        </button>
      </form>
      <p id="prompt-how" className="quiet">
        Say it in words; commas separate several things.
        {kept !== "" && " An empty field drops what you said."}
      </p>
      <p className="leads" hidden={classes.length === 0}>
        <span className="quiet">These words lead to </span>
        <b id="prompt-classes" aria-live="polite">
          {classes.join(", ")}
        </b>
      </p>
      <p id="prompt-note" role="status" data-trouble={(refusal ?? trouble) !== null}>
        {refusal ?? trouble ?? preview?.note}
      </p>
      {preview && preview.images.length > 0 && (
        <>
          <p className="quiet" id="prompt-which">
            Of the {noun(state.status)} still to be answered, these fit best:
          </p>
          <ul id="prompt-images" aria-labelledby="prompt-which" aria-busy={!isCurrent}>
            {preview.images.slice(0, SHOWN).map((image) => (
              <Thumbnail key={`${image.image}@${image.version}`} image={image} />
            ))}
          </ul>
        </>
      )}
    </Dialog>
  );
}

function Thumbnail({ image }: { readonly image: Queued }) {
  const [isBroken, setBroken] = useState(false);
  return (
    <li title={named(image.path)} data-image={image.image}>
      {isBroken ? (
        <span className="none">cannot be shown</span>
      ) : (
        <img
          src={pictureAddress(image, THUMBNAIL_PX)}
          alt={named(image.path)}
          decoding="async"
          draggable={false}
          onError={() => setBroken(true)}
        />
      )}
    </li>
  );
}
