// The buttons under the map: what a drag does, how large the map is, and on a phone the way to the clusters.
import { Icon, type IconName, Press } from "../../../ui";
import type { Tool } from "./gestures";
import type { Painter } from "./painter";

const TOOLS: readonly { readonly tool: Tool; readonly icon: IconName; readonly title: string }[] = [
  { tool: "move", icon: "hand", title: "Move the map" },
  { tool: "lasso", icon: "lasso", title: "Choose with a lasso (or Shift and drag)" },
  { tool: "rectangle", icon: "rectangle", title: "Choose with a rectangle" },
];
export const STEP = 1.4; // of one press

interface Props {
  readonly painter: Painter;
  readonly tool: Tool;
  readonly isListOpen: boolean;
  readonly onTool: (tool: Tool) => void;
  readonly onList: () => void;
}

export function MapTools({ painter, tool, isListOpen, onTool, onList }: Props) {
  return (
    <div className="map-tools" role="group" aria-label="Tools">
      {TOOLS.map(({ tool: one, icon, title }) => (
        <Press
          key={one}
          className="plain"
          id={`map-${one}`}
          aria-label={title}
          title={title}
          aria-pressed={tool === one}
          onClick={() => onTool(one)}
        >
          <Icon name={icon} />
        </Press>
      ))}
      <span className="gap" />
      <Press
        className="plain"
        aria-label="Smaller"
        title="Smaller (-)"
        onClick={() => painter.zoom(1 / STEP)}
      >
        <Icon name="negative" />
      </Press>
      <Press className="plain" aria-label="Larger" title="Larger (+)" onClick={() => painter.zoom(STEP)}>
        <Icon name="positive" />
      </Press>
      <Press
        className="plain"
        id="map-whole"
        aria-label="The whole map"
        title="The whole map (0)"
        onClick={() => painter.reset()}
      >
        <Icon name="whole" />
      </Press>
      <Press className="plain text" id="map-list" aria-expanded={isListOpen} onClick={onList}>
        Clusters
      </Press>
    </div>
  );
}
