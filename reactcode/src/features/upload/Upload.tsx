// Adding images: a place to drop them, how far they are, and what became of them.
import { count, counted } from "../../core/words";
import type { Uploads } from "./useUpload";

export function Upload({ upload, isAllowed }: { readonly upload: Uploads; readonly isAllowed: boolean }) {
  return (
    <>
      {upload.isOver && (
        <p className="drop" id="drop">
          {isAllowed
            ? "Drop images, folders or a zip: they are added to this folder."
            : "This session accepts no images; put them into its folder, or start it with --allow-upload."}
        </p>
      )}
      {upload.state.files > 0 && <Card upload={upload} />}
    </>
  );
}

function Card({ upload }: { readonly upload: Uploads }) {
  const { files, done, bytes, sent, added, isOver } = upload.state;
  return (
    <section className="upload" id="upload" aria-label="Adding images" role="status">
      {isOver ? (
        <b>{added === 0 ? "No image was added" : `${counted(added, "image was", "images were")} added`}</b>
      ) : (
        <>
          <b>
            Adding images: {count(done)} of {count(files)}
          </b>
          <progress max={Math.max(bytes, 1)} value={sent} aria-label="Sent" />
        </>
      )}
      <Left upload={upload} />
      <button type="button" className="plain text" onClick={isOver ? upload.dismiss : upload.cancel}>
        {isOver ? "Close" : "Stop"}
      </button>
    </section>
  );
}

function Left({ upload }: { readonly upload: Uploads }) {
  const { added, duplicates, refused, refusals, unreadable, unreadables } = upload.state;
  const some = added === 1 ? "It" : `${count(unreadables)} of them`;
  return (
    <>
      {unreadables > 0 && (
        <p id="unreadable-uploads">
          {some} cannot be shown, and {unreadables === 1 ? "is" : "are"} not asked about:{" "}
          <Why of={unreadable} />
          {unreadables > unreadable.length && "…"}
        </p>
      )}
      {duplicates > 0 && <p>{counted(duplicates, "was", "were")} here already, with the same content.</p>}
      {refusals > 0 && (
        <p>
          {count(refusals)} could not be added: <Why of={refused} />
          {refusals > refused.length && "…"}
        </p>
      )}
    </>
  );
}

function Why({ of }: { readonly of: readonly (readonly [string, string])[] }) {
  return of.map(([name, reason]) => (
    <span key={name}>
      <i>{name}</i>: {reason}{" "}
    </span>
  ));
}

/** A button that lets a person choose images, on a phone from its gallery. */
export function ChooseImages({ upload }: { readonly upload: Uploads }) {
  return (
    <label className="choose">
      <span>Add images…</span>
      <input
        id="choose-images"
        type="file"
        multiple
        accept="image/*,.heic,.heif,.dcm,.zip"
        onChange={(event) => {
          if (event.target.files) upload.choose(event.target.files);
          event.target.value = "";
        }}
      />
    </label>
  );
}
