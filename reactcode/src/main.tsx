// Starts the page.
import { createRoot } from "react-dom/client";
import { App } from "./App";
import "./style.css";
import "./header.css";
import "./auto.css";
import "./looking.css";
import "./progress.css";
import "./review.css";
import "./instructions.css";
import "./grid.css";
import "./alike.css";

const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
