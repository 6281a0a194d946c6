// Starts the page.
import { createRoot } from "react-dom/client";
import { App } from "./App";
import "./style.css";
import "./auto.css";
import "./looking.css";
import "./panels.css";

const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
