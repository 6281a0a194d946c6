// Starts the page.
import "./style.css"; // before the features' own
import { createRoot } from "react-dom/client";
import { App } from "./App";

const root = document.getElementById("root");
const onUncaughtError = (error: unknown) => {
  console.error(error);
  queueMicrotask(() =>
    root?.append("The page has failed. Reload it; answers that were not sent yet are kept."),
  );
};
if (root) createRoot(root, { onUncaughtError }).render(<App />);
