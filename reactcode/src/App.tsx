// The page: header, banner, stage, answers, and the panels over them.
import { Alike } from "./components/Alike";
import { Answers } from "./components/Answers";
import { Auto } from "./components/Auto";
import { Banner } from "./components/Banner";
import { Caption } from "./components/Caption";
import { Certified } from "./components/Certified";
import { Grid } from "./components/Grid";
import { GridBar } from "./components/GridBar";
import { Header } from "./components/Header";
import { Help } from "./components/Help";
import { History } from "./components/History";
import { Info } from "./components/Info";
import { Instructions } from "./components/Instructions";
import { Live } from "./components/Live";
import { LatePress } from "./components/LatePress";
import { Note } from "./components/Note";
import { OfferToStop } from "./components/OfferToStop";
import { Progress } from "./components/Progress";
import { Review } from "./components/Review";
import { Ring } from "./components/Ring";
import { Scene } from "./components/Scene";
import { Stage } from "./components/Stage";
import { StillThere } from "./components/StillThere";
import { TensorBoard } from "./components/TensorBoard";
import { Tools } from "./components/Tools";
import { Walk } from "./components/Walk";
import { isGridShown } from "./grid";
import { useSession } from "./useSession";

export function App() {
  const session = useSession();
  const { panel, idle } = session.state;
  const isGrid = isGridShown(session.state);
  return (
    <div className="page">
      <Header session={session} />
      <main>
        {isGrid ? <Grid session={session} /> : <Stage session={session} />}
        <History session={session} />
        <Scene session={session} />
        {!isGrid && <Alike session={session} />}
        <Walk session={session} />
        <Ring session={session} />
        <LatePress session={session} />
        <OfferToStop session={session} />
        <Certified state={session.state} />
        <Note note={session.state.note} />
        <Banner state={session.state} />
        {panel === "tools" && <Tools session={session} />}
      </main>
      {isGrid ? (
        <GridBar session={session} />
      ) : (
        <footer>
          <Caption session={session} />
          <Answers session={session} />
          <Auto session={session} />
        </footer>
      )}
      <Live state={session.state} />
      {panel === "help" && <Help session={session} />}
      {panel === "info" && <Info session={session} />}
      {panel === "progress" && <Progress session={session} />}
      {panel === "review" && <Review session={session} />}
      <Instructions session={session} />
      {panel === "tensorboard" && <TensorBoard session={session} />}
      {idle && <StillThere session={session} />}
    </div>
  );
}
