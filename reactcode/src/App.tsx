// The page: header, banner, stage, answers, and the panels over them.
import { Alike } from "./components/Alike";
import { Answers } from "./components/Answers";
import { Auto } from "./components/Auto";
import { Banner } from "./components/Banner";
import { Caption } from "./components/Caption";
import { Certified } from "./components/Certified";
import { Finish } from "./components/Finish";
import { First } from "./components/First";
import { Explanation } from "./components/Explanation";
import { Grid } from "./components/Grid";
import { GridBar } from "./components/GridBar";
import { Header } from "./components/Header";
import { Help } from "./components/Help";
import { History } from "./components/History";
import { Import } from "./components/Import";
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
import { Slips } from "./components/Slips";
import { Stage } from "./components/Stage";
import { StillThere } from "./components/StillThere";
import { TensorBoard } from "./components/TensorBoard";
import { Tools } from "./components/Tools";
import { Upload } from "./components/Upload";
import { Veil } from "./components/Veil";
import { Walk } from "./components/Walk";
import { isGridShown } from "./grid";
import { useExplanation } from "./useExplanation";
import { useSession } from "./useSession";
import { useUpload } from "./useUpload";

export function App() {
  const session = useSession();
  const { panel, idle } = session.state;
  const mayUpload = session.state.status?.upload === true;
  const upload = useUpload(mayUpload);
  const isGrid = isGridShown(session.state);
  const why = useExplanation(session.state);
  return (
    <div className="page">
      <Header session={session} />
      <main>
        {isGrid ? <Grid session={session} /> : <Stage session={session} why={why} />}
        <History session={session} />
        <Explanation session={session} why={why} />
        <Scene session={session} upload={mayUpload ? upload : null} />
        {!isGrid && <Alike session={session} />}
        <Veil session={session} />
        <Walk session={session} />
        <Ring session={session} />
        <LatePress session={session} />
        <OfferToStop session={session} />
        <Certified state={session.state} />
        <First session={session} />
        <Upload upload={upload} isAllowed={mayUpload} />
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
      <Live session={session} />
      {panel === "help" && <Help session={session} />}
      {panel === "import" && <Import session={session} />}
      {panel === "info" && <Info session={session} upload={mayUpload ? upload : null} />}
      {panel === "progress" && <Progress session={session} />}
      {panel === "review" && <Review session={session} />}
      {panel === "finish" && <Finish session={session} />}
      {panel === "slips" && <Slips session={session} />}
      <Instructions session={session} />
      {panel === "tensorboard" && <TensorBoard session={session} />}
      {idle && <StillThere session={session} />}
    </div>
  );
}
