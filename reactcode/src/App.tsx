// The page: header, banner, stage, answers, and the panels over them.
import { Answers } from "./components/Answers";
import { Auto } from "./components/Auto";
import { Banner } from "./components/Banner";
import { Caption } from "./components/Caption";
import { Header } from "./components/Header";
import { Help } from "./components/Help";
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
import { useSession } from "./useSession";

export function App() {
  const session = useSession();
  const { panel, idle } = session.state;
  return (
    <div className="page">
      <Header session={session} />
      <main>
        <Stage session={session} />
        <Scene session={session} />
        <Walk session={session} />
        <Ring session={session} />
        <LatePress session={session} />
        <OfferToStop session={session} />
        <Note note={session.state.note} />
        <Banner state={session.state} />
        {panel === "tools" && <Tools session={session} />}
      </main>
      <footer>
        <Caption session={session} />
        <Answers session={session} />
        <Auto session={session} />
      </footer>
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
