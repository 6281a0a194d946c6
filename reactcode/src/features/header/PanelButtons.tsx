// The buttons that open the panels; where there is little room, the rarely used ones stand behind "more".
import { useEffect, useRef, useState } from "react";
import { keyLabel, type Action, perform } from "../../core/keys";
import type { Panel, State } from "../../core/session";
import { GridButton } from "../grid";
import { type Session, Icon, type IconName, Press } from "../../ui";

/** What is on or off rather than a panel. */
type Switch = "zoom" | "explanation";

interface Way {
  readonly id: Panel | Switch;
  /** The name of the button in the page, where something else there has the name of the panel. */
  readonly door?: string;
  readonly icon: IconName;
  readonly title: string;
  readonly action?: Action;
}

const OFTEN: readonly Way[] = [
  { id: "progress", icon: "progress", title: "Progress", action: "progress" },
  { id: "review", icon: "review", title: "Review past answers", action: "review" },
  { id: "zoom", icon: "zoom", title: "Zoom to the file's own pixels", action: "zoom" },
  { id: "tools", icon: "tools", title: "Contrast and brightness", action: "tools" },
];

const RARE: readonly Way[] = [
  {
    id: "prompt",
    door: "prompt-door",
    icon: "words",
    title: "Say in words what you look for",
    action: "prompt",
  },
  { id: "map", icon: "map", title: "Map of all images", action: "map" },
  { id: "finish", icon: "finish", title: "Finish: let the model label all other images", action: "finish" },
  { id: "slips", icon: "done", title: "Check answers that look wrong", action: "slips" },
  { id: "explanation", icon: "why", title: "Why the model thinks so", action: "explanation" },
  { id: "instructions", icon: "instructions", title: "Instructions", action: "instructions" },
  { id: "tensorboard", icon: "board", title: "TensorBoard", action: "tensorboard" },
  { id: "info", icon: "info", title: "About this run" },
  { id: "help", icon: "help", title: "Keys", action: "help" },
];

export function PanelButtons({ session }: { readonly session: Session }) {
  const nav = useRef<HTMLElement>(null);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (!isOpen) return;
    const onPointer = (event: PointerEvent) => {
      if (!nav.current?.contains(event.target as Node)) setOpen(false);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") setOpen(false);
    };
    window.addEventListener("pointerdown", onPointer);
    window.addEventListener("keydown", onKey);
    return () => {
      window.removeEventListener("pointerdown", onPointer);
      window.removeEventListener("keydown", onKey);
    };
  }, [isOpen]);
  const door = (way: Way) => <Door key={way.id} way={way} session={session} />;
  return (
    <nav className="doors" aria-label="Panels" ref={nav}>
      <GridButton session={session} />
      {OFTEN.map(door)}
      <Press
        className="plain more"
        id="more"
        aria-label="More"
        aria-expanded={isOpen}
        title="More"
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </Press>
      <div className="rare" data-open={isOpen} onClick={() => setOpen(false)}>
        {RARE.filter(({ id }) => isThere(id, session.state)).map(door)}
      </div>
    </nav>
  );
}

function isThere(id: Way["id"], { status }: State): boolean {
  if (id === "prompt") return status !== null && status.loops.inference !== "off";
  if (id === "tensorboard") return status?.tensorboard === true;
  if (id === "instructions") return status?.instructions != null;
  return true;
}

function Door({ way, session }: { readonly way: Way; readonly session: Session }) {
  const { engine, state, bindings } = session;
  const { id, door = id, icon, title, action } = way;
  const isOn = id === "zoom" ? state.zoom : id === "explanation" ? state.explains : undefined;
  return (
    <Press
      className="plain"
      id={door}
      aria-label={title}
      aria-pressed={isOn}
      aria-expanded={isOn === undefined ? state.panel === id : undefined}
      title={action ? `${title} (${keyLabel(bindings[action])})` : title}
      onClick={() =>
        id === "zoom" || id === "explanation" ? perform(engine, id, "button") : engine.toggle(id)
      }
    >
      <Icon name={icon} />
      <span className="what">{title}</span>
    </Press>
  );
}
