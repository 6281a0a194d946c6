// The page: header, banner, stage, answers, and the panels over them.
import { isGridShown } from "./core/session";
import { useSession } from "./ui";
// The order of the features is that of their style sheets: header brings the grid's, explanation changes it.
import { Banner, Header, Live } from "./features/header";
import { Auto, LatePress, OfferToStop, Ring, StillThere } from "./features/auto";
import { Tools } from "./features/looking";
import { Certified, Progress } from "./features/progress";
import { Review } from "./features/review";
import { Finish } from "./features/finish";
import { Slips } from "./features/slips";
import { Instructions } from "./features/instructions";
import { Grid, GridBar } from "./features/grid";
import { PromptOffer, PromptPanel } from "./features/prompt";
import { Import } from "./features/import";
import { Upload, useUpload } from "./features/upload";
import { Help, Info, TensorBoard } from "./features/info";
import { Alike, Answers, Caption, First, History, Note, Scene, Stage, Veil, Walk } from "./features/stage";
import { Explanation, useExplanation } from "./features/explanation";
import { FolderMap } from "./features/map";

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
        <PromptOffer session={session} />
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
      {panel === "prompt" && <PromptPanel session={session} />}
      {panel === "import" && <Import session={session} />}
      {panel === "info" && <Info session={session} upload={mayUpload ? upload : null} />}
      {panel === "progress" && <Progress session={session} />}
      {panel === "review" && <Review session={session} />}
      {panel === "finish" && <Finish session={session} />}
      {panel === "map" && <FolderMap session={session} />}
      {panel === "slips" && <Slips session={session} />}
      <Instructions session={session} />
      {panel === "tensorboard" && <TensorBoard session={session} />}
      {idle && <StillThere session={session} />}
    </div>
  );
}
