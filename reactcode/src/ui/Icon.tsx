// The drawings on buttons: one path each, in the colour of the text around.
const PATHS = {
  positive: "M8 2.5v11M2.5 8h11",
  negative: "M2.5 8h11",
  skip: "M3.5 3.5 8 8l-4.5 4.5M8.5 3.5 13 8l-4.5 4.5",
  undo: "M5.5 3 2.5 6l3 3M2.5 6h6.8a3.7 3.7 0 0 1 0 7.4H6",
  play: "M5 3v10l8-5z",
  pause: "M5.5 3v10M10.5 3v10",
  info: "M8 7.2v4.3M8 4.4v.2M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z",
  tools:
    "M2 5h7M12.5 5H14M2 11h1.5M7 11h7M9 5a1.7 1.7 0 1 0 3.5 0A1.7 1.7 0 0 0 9 5zM3.5 11A1.7 1.7 0 1 0 7 11a1.7 1.7 0 0 0-3.5 0z",
  zoom: "M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM10 10l3.7 3.7M7 5.3v3.4M5.3 7h3.4",
  whole: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  pin: "M5.5 2.5h5l-.6 4.2 2.1 2.3H4l2.1-2.3zM8 9v4.8",
  eye: "M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8zM10 8a2 2 0 1 1-4 0 2 2 0 0 1 4 0z",
  hidden: "M1.8 6.5S4 10.2 8 10.2s6.2-3.7 6.2-3.7M8 10.2v2.6M4.3 9.2 3 11.4M11.7 9.2l1.3 2.2",
  board: "M2.5 2.5v11h11M5 10.5l2.5-3 2 1.6L13 5",
  help: "M6 6.1a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 11.6v.2M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M6 5.5h6.5v8H6zM9.8 5.5v-3H3.3v8H6",
  done: "M3 8.5 6.5 12 13 4.5",
  older: "M10 3.5 5.5 8l4.5 4.5",
  newer: "M6 3.5 10.5 8 6 12.5",
  progress: "M2.5 13.5h11M4.5 13.5V9.5M8 13.5V6M11.5 13.5V2.5",
  review: "M2.5 3h4.3v4.3H2.5zM9.2 3h4.3v4.3H9.2zM2.5 9.7h4.3V14H2.5zM9.5 12l1.5 1.6 2.8-3.4",
  instructions: "M3.5 2.5h6.3l2.7 2.7v8.3h-9zM5.8 7h4.4M5.8 9.2h4.4M5.8 11.4h2.6",
  finish: "M4 14V2.5M4 3h8.5l-2 2.75 2 2.75H4",
  more: "M3.4 8h.01M8 8h.01M12.6 8h.01",
  why: "M8 1.9a4.3 4.3 0 0 1 2.3 7.9c-.5.4-.7.8-.7 1.4H6.4c0-.6-.2-1-.7-1.4A4.3 4.3 0 0 1 8 1.9zM6.6 13.7h2.8",
  like: "M2.5 2.5H8V8H2.5zM10.5 5.5h3v8h-8v-3M9.5 11.5h2M10.5 10.5v2",
  words: "M2.5 3h11v7.5H7.5L4.5 13.2v-2.7h-2zM5.2 6.7h.01M8 6.7h.01M10.8 6.7h.01",
  grid: "M2.5 2.5H7V7H2.5zM9 2.5h4.5V7H9zM2.5 9H7v4.5H2.5zM9 9h4.5v4.5H9z",
  map: "M2.5 2.5v11h11M5.4 10.2h.01M6.6 7.6h.01M4.9 5.3h.01M9.4 10.6h.01M11.6 8.9h.01M10.3 4.2h.01M12.6 5.6h.01M8.4 5.9h.01",
  lasso:
    "M8 2.6c3.6 0 5.7 1.7 5.7 3.9S11.6 10.4 8 10.4 2.3 8.7 2.3 6.5 4.4 2.6 8 2.6zM5 10v1.2a1.3 1.3 0 1 1-1.3 1.3M5 12.4l1.6 1.4",
  hand: "M8 2.2v11.6M2.2 8h11.6M6.4 3.8 8 2.2l1.6 1.6M6.4 12.2 8 13.8l1.6-1.6M3.8 6.4 2.2 8l1.6 1.6M12.2 6.4 13.8 8l-1.6 1.6",
  rectangle: "M2.5 4h11v8h-11z",
  list: "M5.5 4h8M5.5 8h8M5.5 12h8M2.6 4h.01M2.6 8h.01M2.6 12h.01",
  clock: "M8 4.8V8l2.2 1.6M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
