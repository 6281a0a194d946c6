// Which room of the page may import which; `npm test` fails where a line of the sources breaks it.

const SOURCES = "^src/";
const TESTS = "\\.test\\.tsx?$|^src/testing/"; // they may reach into any room

// From the bottom up. A room imports rooms of the lines above its own and no others; the features are one line.
const ROOMS = [
  ["api"],
  ["core/browser", "core/words", "core/map"],
  ["core/session"],
  ["core/images", "core/auto"],
  ["core/engine"],
  ["core/keys"],
  ["ui"],
];
const FEATURES = "^src/features/([^/]+)/";

const path = (rooms) => `^src/(${rooms.join("|")})/`;

const upwards = ROOMS.flatMap((line, place) =>
  line.map((room) => ({
    name: `what-${room.replace("/", "-")}-may-import`,
    comment: "A room imports only rooms below it.",
    severity: "error",
    from: { path: path([room]), pathNot: TESTS },
    to: { path: SOURCES, pathNot: path([room, ...ROOMS.slice(0, place).flat()]) },
  })),
);

export default {
  forbidden: [
    ...upwards,
    {
      name: "what-features-may-import",
      comment: "The page is put together in App.tsx and main.tsx; nothing imports those.",
      severity: "error",
      from: { path: FEATURES, pathNot: TESTS },
      to: { path: SOURCES, pathNot: [FEATURES, path(ROOMS.flat())] },
    },
    {
      name: "only-by-its-index",
      comment: "Another room is imported by its folder, so that its files may change.",
      severity: "error",
      from: { path: "^(src/(?:api|ui|core/[^/]+|features/[^/]+))/", pathNot: TESTS },
      to: { path: "^src/(api|ui|core/[^/]+|features/[^/]+)/", pathNot: ["^$1/", "/index\\.ts$"] },
    },
    {
      name: "only-by-its-index-from-above",
      comment: "App.tsx and main.tsx import rooms by their folders, too.",
      severity: "error",
      from: { path: "^src/[^/]+$", pathNot: TESTS },
      to: { path: "^src/[^/]+/.+", pathNot: "/index\\.ts$" },
    },
    {
      name: "no-cycle",
      comment: "Files that import each other, be it for a type only, are one file in two parts.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-react-below-ui",
      comment: "What the page knows and does can be run and tested without React.",
      severity: "error",
      from: { path: "^src/(api|core)/", pathNot: TESTS },
      to: { path: "node_modules/(@types/)?react(-dom)?/" },
    },
    {
      name: "no-tests-in-the-page",
      comment: "What is for the tests is not shipped.",
      severity: "error",
      from: { path: SOURCES, pathNot: TESTS },
      to: { path: [TESTS, "node_modules/(vitest|@testing-library|fake-indexeddb|axe-core)/"] },
    },
    {
      name: "no-orphan",
      comment: "What nobody imports is deleted.",
      severity: "error",
      from: { orphan: true, path: SOURCES, pathNot: [TESTS, "^src/main\\.tsx$", "\\.worker\\.ts$"] },
      to: {},
    },
    {
      name: "not-found",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true, // imports of types count
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "browser", "default", "types"],
    },
  },
};
