// Starts the page.
import { createRoot } from "react-dom/client";
import { App } from "./App";
import "./style.css";
import "./header.css";
import "./auto.css";
import "./looking.css";
import "./progress.css";
import "./review.css";
import "./finish.css";
import "./slips.css";
import "./instructions.css";
import "./grid.css";
import "./import.css";
import "./upload.css";
import "./alike.css";
import "./tiles.css";
import "./explanation.css"; // after the grid, which says where the stage is without it

const root = document.getElementById("root");
const onUncaughtError = (error: unknown) => {
  console.error(error);
  queueMicrotask(() =>
    root?.append("The page has failed. Reload it; answers that were not sent yet are kept."),
  );
};
if (root) createRoot(root, { onUncaughtError }).render(<App />);
