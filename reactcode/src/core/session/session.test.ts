// The reducer: every way an image can come, be answered, come back, or go.
import { describe, expect, it } from "vitest";
import type { Answered, Queued, Status } from "../../api";
import { KEYS, labelOf } from "../keys";
import { PLAIN } from "./look";
import { NEW_RUN } from "../../testing/answers";
import { reduce } from "./session";
import { nextSpeed } from "./speed";
import {
  answeredHere,
  canAnswer,
  countsDown,
  foundHere,
  isPainted,
  keyOf,
  probabilityOf,
  sceneOf,
  shownOf,
  START,
  type State,
  type Step,
} from "./state";

const STATUS: Status = {
  ...NEW_RUN,
  images: 100,
  left: 100,
  embedding: { done: 0, total: 100, percent: 0 },
  tensorboard: false,
};

function queued(image: number): Queued {
  return { image, path: `${image}.jpg`, probability: image / 100, version: "v" };
}

function after(...steps: Step[]): State {
  return steps.reduce(reduce, START);
}

function coming(images: number[], asked_at = 0): Step {
  return { type: "queue", keep: 2, asked_at, answer: { images: images.map(queued), ranking: 1, left: 100 } };
}

const status: Step = { type: "status", status: STATUS };
const painted = (image: number): Step => ({ type: "painted", key: keyOf(queued(image)) });
const decoded = (image: number): Step => ({ type: "decoded", queued: queued(image) });
const answered: Step = { type: "answered", label: "positive", source: "key" };
const counts = { positives: 1, negatives: 0, skipped: 0, left: 99 };
const images = (state: State) => state.queue.map(({ image }) => image);

describe("keys", () => {
  it("gives each action a key of its own", () => {
    expect(new Set(KEYS.map(({ key }) => key)).size).toBe(KEYS.length);
  });

  it("makes S a skip and never anything else", () => {
    const action = KEYS.find(({ key }) => key === "s")?.action;
    expect(action && labelOf(action)).toBe("skipped");
  });

  it("steps through the speeds and stops at both ends", () => {
    expect(nextSpeed(1, 1)).toBe(1.5);
    expect(nextSpeed(1, -1)).toBe(0.7);
    expect(nextSpeed(10, 1)).toBe(10);
    expect(nextSpeed(0.2, -1)).toBe(0.2);
  });
});

describe("an answer", () => {
  it("needs the image to be painted", () => {
    expect(canAnswer(after(status, coming([1, 2])))).toBe(false);
    expect(canAnswer(after(status, coming([1, 2]), painted(1)))).toBe(true);
  });

  it("moves on at once, to an image that is not painted yet", () => {
    const state = after(status, coming([1, 2]), painted(1), answered);
    expect(shownOf(state)?.image).toBe(2);
    expect(isPainted(state)).toBe(false);
    expect(state.past[0]).toMatchObject({ image: 1, label: "positive" });
  });

  it("is not taken for painted by a late word about the image before", () => {
    const state = after(status, coming([1, 2]), painted(1), answered, painted(1));
    expect(canAnswer(state)).toBe(false);
  });

  it("in flight keeps its image out of what the server hands out", () => {
    const state = after(status, coming([1, 2]), painted(1), answered, coming([1, 2, 3]));
    expect(images(state)).toEqual([2, 3]);
  });

  it("stored after the question went out still keeps its image out; asked later it may come", () => {
    const stored: Step = { type: "stored", images: [1], counts };
    const base = [status, coming([1, 2]), painted(1), answered, stored];
    expect(images(after(...base, coming([1, 3], 0)))).toEqual([2, 3]);
    expect(images(after(...base, coming([1, 3], 1)))).toEqual([2, 1, 3]);
  });

  it("of an earlier page that still waits keeps its image out", () => {
    const state = after(status, { type: "waiting", waiting: 1, images: [2] }, coming([1, 2, 3]));
    expect(images(state)).toEqual([1, 3]);
  });

  it("that the server refuses is told and lets the image come again", () => {
    const refused: Step = { type: "refused", queued: queued(1), sentence: "There is no image 1." };
    const state = after(status, coming([1, 2]), painted(1), answered, refused, coming([1, 2]));
    expect(state.note?.text).toContain("There is no image 1.");
    expect(images(state)).toEqual([2, 1]);
    expect(state.past).toEqual([]);
  });
});

describe("a newer ranking", () => {
  it("replaces all but the image shown and the next two that are decoded", () => {
    const before = [status, coming([1, 2, 3, 4, 5]), decoded(1), decoded(2), decoded(4)];
    expect(images(after(...before, coming([9, 8, 2])))).toEqual([1, 2, 9, 8]);
  });

  it("leaves the painted image painted", () => {
    expect(canAnswer(after(status, coming([1, 2]), painted(1), coming([9, 1])))).toBe(true);
  });
});

describe("an unreadable image", () => {
  it("is told, left out, and does not come again", () => {
    const state = after(status, coming([1, 2]), { type: "unreadable", queued: queued(1) }, coming([1, 2]));
    expect(images(state)).toEqual([2]);
    expect(state.note?.text).toBe("unreadable: 1.jpg");
  });
});

const undoneOf = (answer: Answered) => ({ ...answer, images: [answer] });

describe("undo", () => {
  const undone: Step = {
    type: "undone",
    answer: undoneOf({ image: 1, path: "1.jpg", label: "positive", version: "v" }),
  };

  it("asks the image again at once, before the one it interrupts", () => {
    const state = after(status, coming([1, 2, 3]), painted(1), answered, painted(2), undone);
    expect(images(state)).toEqual([1, 2, 3]);
    expect(state.past).toEqual([]);
    expect(canAnswer(state)).toBe(false);
    expect(state.queue[0]?.probability).toBe(0.01);
  });

  it("blocks answers until it is through", () => {
    const state = after(status, coming([1, 2]), painted(1), { type: "undoing" });
    expect(canAnswer(state)).toBe(false);
    expect(canAnswer(reduce(state, { type: "undoFailed", sentence: "away" }))).toBe(true);
  });

  it("of a file that is gone says so and shows nothing else", () => {
    const gone: Step = {
      type: "undone",
      answer: undoneOf({ image: null, path: "x", label: "skipped", version: null }),
    };
    const state = after(status, coming([1, 2]), painted(1), gone);
    expect(images(state)).toEqual([1, 2]);
    expect(state.note?.text).toContain("gone");
  });
});

describe("an answer to many images", () => {
  const many: Step = { type: "answeredMany", images: [2, 3], label: "negative" };

  it("takes them out of the questions, and keeps them out while the server does not know", () => {
    const state = after(status, coming([1, 2, 3, 4]), painted(1), many);
    expect(images(state)).toEqual([1, 4]);
    expect(images(reduce(state, coming([1, 2, 3, 4])))).toEqual([1, 4]);
    expect(state.past).toEqual([]);
  });

  it("taken back before it was sent, lets them be asked again", () => {
    const state = after(status, coming([1, 2, 3, 4]), many, { type: "unansweredMany", images: [2, 3] });
    expect(images(reduce(state, coming([1, 2, 3, 4])))).toEqual([1, 2, 3, 4]);
    expect(state.note?.text).toBe("Taken back: 2 answers");
  });

  it("taken back on the server, puts none of very many before the one that is shown", () => {
    const last = { image: 3, path: "3.jpg", label: "negative", version: "v" } as const;
    const undone: Step = { type: "undone", answer: { ...last, images: [last], taken: 12_345 } };
    const state = after(status, coming([1, 2, 3]), painted(1), many, { type: "undoing" }, undone);
    expect(images(state)).toEqual([1]);
    expect(canAnswer(state)).toBe(true);
    expect(state.note?.text).toBe("Taken back: 12,345 answers");
  });
});

describe("a correction", () => {
  const correct = (label: "positive" | "negative", from?: "positive" | "negative"): Step => ({
    type: "corrected",
    queued: queued(1),
    label,
    ...(from && { from }),
  });
  const undone: Step = {
    type: "undone",
    answer: undoneOf({ image: 1, path: "1.jpg", label: "negative", version: "v" }),
  };
  const base = [status, coming([1, 2]), painted(1), answered, painted(2)];

  it("taken back brings the earlier label back and asks nothing anew", () => {
    const state = after(...base, correct("negative", "positive"), { type: "undoing" }, undone);
    expect(state.past[0]).toMatchObject({ image: 1, label: "positive" });
    expect(images(state)).toEqual([2]);
    expect(canAnswer(state)).toBe(true);
    expect(images(reduce(state, undone))).toEqual([1, 2]); // the answer itself
  });

  it("refused brings the earlier label back", () => {
    const refused: Step = { type: "refused", queued: queued(1), sentence: "no" };
    const state = after(...base, correct("negative", "positive"), refused);
    expect(state.past).toMatchObject([{ image: 1, label: "positive" }]);
  });

  it("that a newer answer has replaced is brought back no more", () => {
    const state = after(...base, correct("negative", "positive"), correct("negative"), undone);
    expect(images(state)).toEqual([1, 2]);
  });
});

describe("what was done on this visit", () => {
  it("leaves out what was answered before it", () => {
    const more = { source: "key", time: "", shown_ms: null, held_out: null, repeat: false } as const;
    const older: Step = {
      type: "pastLoaded",
      total: 2,
      answers: [{ ...queued(7), label: "positive", ...more }],
    };
    const state = after(status, coming([1, 2]), painted(1), answered, older);
    expect([answeredHere(state), foundHere(state)]).toEqual([1, 1]);
  });
});

describe("the past", () => {
  const older: Step = { type: "walk", direction: "older" };
  const newer: Step = { type: "walk", direction: "newer" };
  const base = [status, coming([1, 2, 3]), painted(1), answered, painted(2), answered, painted(3)];

  it("is walked back to the oldest and forward to the queue", () => {
    expect(shownOf(after(...base, older))?.image).toBe(2);
    expect(shownOf(after(...base, older, older, older))?.image).toBe(1);
    expect(shownOf(after(...base, older, older, newer, newer))?.image).toBe(3);
  });

  it("may be answered anew and stays where one is", () => {
    const state = after(...base, older, painted(2), { type: "answered", label: "negative", source: "key" });
    expect(shownOf(state)).toMatchObject({ image: 2, label: "negative" });
    expect(images(state)).toEqual([3]);
    expect(canAnswer(state)).toBe(true);
  });

  it("continues with what the server knows, each image once", () => {
    const more = { shown_ms: null, probability: null, held_out: null, repeat: false };
    const rest = { source: "key", time: "", version: "v", ...more } as const;
    const loaded: Step = {
      type: "pastLoaded",
      total: 3,
      answers: [
        { image: 2, path: "2.jpg", label: "positive", ...rest },
        { image: null, path: "gone", label: "positive", ...rest },
        { image: 7, path: "7.jpg", label: "skipped", ...rest },
      ],
    };
    const state = after(...base, loaded);
    expect(state.past.map(({ image }) => image)).toEqual([2, 1, 7]);
    expect(state.pastComplete).toBe(true);
  });
});

describe("AUTO's clock", () => {
  const running = after(status, coming([1, 2]), painted(1), { type: "auto" });

  it("runs for a painted image in front of a person", () => {
    expect(countsDown(running)).toBe(true);
  });

  it.each<[string, Step]>([
    ["the tab is hidden", { type: "visible", visible: false }],
    ["a panel is open", { type: "panel", panel: "tools" }],
    ["the server is away", { type: "link", link: "away" }],
    ["answers cannot be stored", { type: "link", link: "here", trouble: "disk full" }],
    ["the outbox is stuck", { type: "stuck", stuck: true }],
    ["it is paused", { type: "pause" }],
    ["nobody is there", { type: "idle" }],
    ["an answer is being taken back", { type: "undoing" }],
    ["somebody looks closely", { type: "zoom", zoom: true }],
    ["the next image is not painted", answered],
    ["AUTO is off", { type: "auto" }],
  ])("stands while %s", (_, step) => {
    expect(countsDown(reduce(running, step))).toBe(false);
  });

  it("runs on while the view is pinned, and stands again when it is not", () => {
    const pinned = [{ type: "zoom", zoom: true }, { type: "pin" }] satisfies Step[];
    const state = pinned.reduce(reduce, running);
    expect(countsDown(state)).toBe(true);
    expect(countsDown(reduce(state, { type: "pin" }))).toBe(false);
  });

  it("stands in the past", () => {
    const state = after(status, coming([1, 2]), painted(1), answered, { type: "auto" });
    expect(countsDown(reduce(reduce(state, { type: "walk", direction: "older" }), painted(1)))).toBe(false);
  });
});

describe("a pause", () => {
  const single = after(status, coming([1, 2, 3]), painted(1), answered, painted(2));
  const paused = reduce(single, { type: "pause" });

  it("takes no answer", () => {
    expect([canAnswer(single), canAnswer(paused)]).toEqual([true, false]);
    expect(canAnswer(reduce(paused, { type: "pause" }))).toBe(true);
  });

  it("keeps past answers covered, too", () => {
    expect(reduce(single, { type: "visit", image: 1 }).place).toBe(0);
    expect(reduce(paused, { type: "visit", image: 1 })).toMatchObject({ place: null, paused: true });
  });
});

describe("looking closely", () => {
  const closely = after(status, coming([1, 2]), painted(1), { type: "zoom", zoom: true });

  it("is for one image, unless it is pinned", () => {
    expect(reduce(closely, answered)).toMatchObject({ zoom: false, pinned: false });
    expect(reduce(reduce(closely, { type: "pin" }), answered)).toMatchObject({ zoom: true, pinned: true });
  });

  it("waits for a picture to look at", () => {
    expect(after(status, coming([1]), { type: "zoom", zoom: true }).zoom).toBe(false);
  });

  it("is pinned only while there is something to pin", () => {
    expect(after(status, coming([1]), painted(1), { type: "pin" }).pinned).toBe(false);
    const pinned = reduce(closely, { type: "pin" });
    expect(reduce(pinned, { type: "zoom", zoom: false }).pinned).toBe(false);
  });

  it("leaves the image painted", () => {
    expect(isPainted(closely)).toBe(true);
  });

  it("ends with the look, the zoom and the pin by one step", () => {
    const look: Step = { type: "look", look: { contrast: 150, brightness: 80, gamma: 2, invert: true } };
    const state = [{ type: "pin" } as const, look, { type: "plain" } as const].reduce(reduce, closely);
    expect(state).toMatchObject({ zoom: false, pinned: false, look: PLAIN });
  });
});

describe("a hidden probability", () => {
  it("is none for whoever asks", () => {
    const state = after(status, coming([50]));
    expect(probabilityOf(state, shownOf(state))).toBe(0.5);
    const blind = reduce(state, { type: "blind", blind: true });
    expect(probabilityOf(blind, shownOf(blind))).toBeNull();
  });
});

describe("when there is no image", () => {
  const left = (left: number): Step => ({
    type: "queue",
    keep: 2,
    asked_at: 0,
    answer: { images: [], ranking: null, left },
  });
  const having = (part: Partial<Status>): Step => ({ type: "status", status: { ...STATUS, ...part } });

  it("says why", () => {
    expect(sceneOf(START)).toBe("connecting");
    expect(sceneOf(after(status, left(5)))).toBe("elsewhere");
    expect(sceneOf(after(status, left(0)))).toBe("done");
    expect(sceneOf(after(having({ images: 0, left: 0, listing: true }), left(0)))).toBe("listing");
    expect(sceneOf(after(having({ images: 0, left: 0 }), left(0)))).toBe("empty");
    expect(sceneOf(after(status, left(0), { type: "link", link: "away" }))).toBe("loading");
    expect(sceneOf(after({ type: "link", link: "away", unauthorised: true }))).toBe("unauthorised");
  });
});
