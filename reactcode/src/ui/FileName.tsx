// The name of an image: where there is little room its beginning is cut short, its end and the place of a tile are seen.
import { placeOf, tileOf, inTwo } from "../core/words";

export function FileName({ path }: { readonly path: string }) {
  const tile = tileOf(path);
  const [head, tail] = inTwo(tile?.photo ?? path);
  const file = (
    <>
      <span>{head}</span>
      <span>{tail}</span>
    </>
  );
  if (tile === null) return file;
  return (
    <>
      <span className="file">{file}</span>
      <small className="tile">
        <span>{placeOf(tile)[0]} </span>
        <span>{placeOf(tile)[1]}</span>
      </small>
    </>
  );
}
