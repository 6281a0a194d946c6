// AUTO has seen no sign of a person for a while: it waits and asks.
import type { Session } from "../useSession";
import { Dialog } from "./Dialog";

export function StillThere({ session }: { readonly session: Session }) {
  const goOn = () => session.engine.dispatch({ type: "back" });
  return (
    <Dialog title="Still there?" className="still" onClose={goOn}>
      <p>AUTO waits, as nobody has moved for 30 seconds. What it answered meanwhile is worth a look back.</p>
      <button type="button" className="switch" id="go-on" onClick={goOn}>
        Go on (any key)
      </button>
    </Dialog>
  );
}
