// Starts the page.
import { createRoot } from "react-dom/client";
import { App } from "./App";
import "./style.css";
import "./header.css";
import "./auto.css";
import "./looking.css";
import "./progress.css";
import "./review.css";
import "./explanation.css";
import "./instructions.css";
import "./grid.css";

const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
