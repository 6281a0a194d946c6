// Where a tile lies in its photo: a small picture in the corner, and large in the place of the tile when one asks for it.
import { useState, type CSSProperties } from "react";
import { photoAddress } from "../../api";
import { sizeFor } from "../../core/images";
import { keyLabel, perform } from "../../core/keys";
import { filterOf } from "../../core/session";
import { placeOf, spoken, type Tile } from "../../core/words";
import { type Session, Key, Press } from "../../ui";
import { usePhoto, type Photo } from "./usePhoto";

export function Where({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const photo = usePhoto(session);
  if (photo === null) return null;
  const { tile, queued } = photo;
  const picture = engine.pictures.element(queued);
  const shape = shapeOf(tile, picture);
  const key = keyLabel(bindings.photo);
  return (
    <>
      {state.photo && <Whole photo={photo} style={{ ...shape, filter: filterOf(state.look) }} />}
      <Press
        id="whereabouts"
        className="whereabouts"
        aria-label={state.photo ? undefined : `${spoken(tile)}: show the whole photo`}
        title={`${placeOf(tile).join(" ")}: ${state.photo ? "back to the tile" : "the whole photo"} (${key})`}
        onClick={() => perform(engine, "photo", "button")}
      >
        {state.photo ? (
          <span>
            back to the tile <Key name={bindings.photo} />
          </span>
        ) : (
          <span className="map" style={shape}>
            <Small photo={photo} />
            <Cell tile={tile} />
          </span>
        )}
      </Press>
    </>
  );
}

/** The small photo, once it has arrived; the place of the tile in it is shown at once. */
function Small({ photo: { tile, small, onLoad } }: { readonly photo: Photo }) {
  if (small === null) return null;
  return (
    <img key={small} src={small} alt={spoken(tile)} draggable={false} fetchPriority="low" onLoad={onLoad} />
  );
}

interface WholeProps {
  readonly photo: Photo;
  readonly style: CSSProperties;
}

function Whole({ photo, style: { filter, ...shape } }: WholeProps) {
  const { queued, tile } = photo;
  const size_px = sizeFor(window.innerWidth, window.innerHeight, window.devicePixelRatio);
  const address = photoAddress(queued, size_px);
  const [away, setAway] = useState("");
  return (
    <div className="photo" id="photo">
      <div className="map" style={shape}>
        {away !== address && (
          <img
            src={address}
            alt={`${tile.photo}, with an outline: ${spoken(tile)}`}
            draggable={false}
            onError={() => setAway(address)}
            style={{ filter, backgroundImage: photo.small === null ? undefined : `url("${photo.small}")` }}
          />
        )}
        <Cell tile={tile} />
      </div>
      {away === address && <p role="status">The photo cannot be shown now.</p>}
    </div>
  );
}

/** The outline of the tile; all around is dimmed. */
function Cell({ tile: { columns, rows, column, row } }: { readonly tile: Tile }) {
  const style = {
    left: `${(100 * (column - 1)) / columns}%`,
    top: `${(100 * (row - 1)) / rows}%`,
    width: `${100 / columns}%`,
    height: `${100 / rows}%`,
  };
  return <i className="outline" style={style} />;
}

/** Width over height of the photo, as its tile tells it. */
function shapeOf({ columns, rows }: Tile, picture: HTMLImageElement | null): CSSProperties {
  const { naturalWidth = 0, naturalHeight = 0 } = picture ?? {};
  const ratio = (columns * naturalWidth) / (rows * naturalHeight);
  return { "--ratio": ratio > 0 ? ratio : columns / rows } as CSSProperties;
}
