// TensorBoard in a panel; loaded when it is opened, gone when it is closed.
import { type Session, Dialog } from "../../ui";

export function TensorBoard({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const isThere = state.status?.tensorboard === true;
  return (
    <Dialog title="TensorBoard" className="board" onClose={() => engine.toggle("tensorboard")}>
      {isThere ? (
        <iframe title="TensorBoard" src="tensorboard/" />
      ) : (
        <p>TensorBoard does not run in this session.</p>
      )}
    </Dialog>
  );
}
