// The door of the map: its code comes when somebody opens it.
import { lazy, Suspense } from "react";
import { away } from "../../core/words";
import { type Session, Dialog } from "../../ui";

const MapPanel = lazy(() =>
  import("./MapPanel").then(
    (module) => ({ default: module.MapPanel }),
    () => ({ default: Waiting(away("reload the page to see the map")) }),
  ),
);

const Loading = Waiting("The map is loading…");

export function FolderMap({ session }: { readonly session: Session }) {
  return (
    <Suspense fallback={<Loading session={session} />}>
      <MapPanel session={session} />
    </Suspense>
  );
}

/** A panel that says one sentence in place of the map. */
function Waiting(sentence: string) {
  return function MapWaiting({ session: { engine } }: { readonly session: Session }) {
    return (
      <Dialog title="Map" onClose={() => engine.toggle("map")}>
        <p>{sentence}</p>
      </Dialog>
    );
  };
}
