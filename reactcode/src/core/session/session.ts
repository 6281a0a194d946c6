// How each step changes what the page knows: a pure reducer without React, clock or network.
import type { Counts } from "../../api";
import { counted, tileOf } from "../words";
import { withSplit } from "./alike";
import { reduceGrid, withGrid, withPanel } from "./grid";
import { PLAIN } from "./look";
import {
  placeOf,
  walked,
  withAnswer,
  withCorrection,
  withMany,
  withPast,
  withRejoined,
  withUndone,
  withoutLatest,
  withoutMany,
} from "./past";
import { withAgain, withQueue, withoutUnreadable } from "./questions";
import { SPEED } from "./speed";
import { isPainted, keyOf, noted, PAUSED, shownOf, type State, type Step } from "./state";

export function reduce(before: State, step: Step): State {
  const state = withGrid(changed(before, step));
  const shown = shownOf(state);
  const last = shownOf(before);
  const isSame = shown?.image === last?.image && shown?.again === last?.again && state.place === before.place;
  if (isSame && shown !== null) return state;
  return { ...state, painted: null, zoom: state.pinned, photo: false }; // the next image is not painted yet
}

function changed(state: State, step: Step): State {
  switch (step.type) {
    case "status":
      return { ...state, status: step.status, link: "here", unauthorised: false };
    case "link":
      return {
        ...state,
        link: step.link,
        trouble: step.trouble ?? null,
        unauthorised: step.unauthorised ?? (step.link === "here" ? false : state.unauthorised),
      };
    case "queue":
      return withQueue(state, step.answer, step.asked_at, step.keep);
    case "decoded":
      return { ...state, decoded: new Set(state.decoded).add(keyOf(step.queued)) };
    case "unreadable":
      return withoutUnreadable(state, step.queued);
    case "painted":
      return { ...state, painted: step.key };
    case "answered":
      return withAnswer({ ...state, photo: false }, step.label, step.source);
    case "answeredMany":
      return withMany(state, step.images, step.label);
    case "unansweredMany":
      return noted(
        withoutMany(state, step.images),
        `Taken back: ${counted(step.images.length, "answer", "answers")}`,
      );
    case "again":
      return { ...state, queue: withAgain(state.queue, step.images, step.how) };
    case "unasked":
      return {
        ...state,
        queue: state.queue.filter((asked) => !asked.again || !step.images.includes(asked.image)),
      };
    case "late":
      return { ...state, late: step.late && { ...step.late, serial: (state.late?.serial ?? 0) + 1 } };
    case "offer":
      return { ...state, offer: step.offer };
    case "corrected":
      return withCorrection(state, step.queued, step.label, step.from);
    case "waiting":
      return withWaiting(state, step.waiting, step.images);
    case "stuck":
      return { ...state, stuck: step.stuck };
    case "held":
      return { ...state, held: step.held && state.waiting > 0 };
    case "stored":
      return withStored(state, step.images, step.counts);
    case "refused":
      return noted(withoutLatest(state, step.queued.image), `Not stored: ${step.sentence}`);
    case "undoing":
      return { ...state, undoing: true };
    case "undone":
      return "together" in step.answer ? withRejoined(state, step.answer) : withUndone(state, step.answer);
    case "undoFailed":
      return noted({ ...state, undoing: false }, step.sentence);
    case "pastLoaded":
      return withPast(state, step.answers, step.total);
    case "walk":
      return { ...state, place: walked(state, step.direction) };
    case "visit":
      return state.paused ? noted(state, PAUSED) : { ...state, place: placeOf(state.past, step.image) };
    case "split":
      return noted(withSplit(state, step.image), "They are asked one by one from now on.");
    case "auto":
      return { ...state, auto: !state.auto, paused: false, idle: false, late: null, offer: false };
    case "pause":
      return { ...state, paused: !state.paused, idle: false };
    case "idle":
      return { ...state, idle: true };
    case "back":
      return { ...state, idle: false };
    case "zoom":
      return withZoom(state, step.zoom);
    case "pin":
      return withPin(state);
    case "photo":
      return withPhoto(state);
    case "plain":
      return { ...withZoom(state, false), look: PLAIN };
    case "look":
      return { ...state, look: step.look };
    case "blind":
      return { ...state, blind: step.blind, grid: { ...state.grid, isAsking: false } };
    case "explains":
      return withExplains(state);
    case "speed":
      return { ...state, speed: Math.min(Math.max(step.speed, SPEED.least), SPEED.most) };
    case "visible":
      return { ...state, visible: step.visible };
    case "panel":
      return withPanel(state, step.panel);
    case "note":
      return noted(state, step.text);
    case "gridSize":
    case "gridPainted":
    case "gridMarked":
    case "gridSkipping":
    case "gridAsked":
    case "gridBack":
    case "gridAnswered":
      return reduceGrid(state, step);
  }
}

/** Zooms only into a painted picture; a view of the whole picture is never pinned. */
function withZoom(state: State, wanted: boolean): State {
  const zoom = wanted && (state.zoom || isPainted(state));
  return { ...state, zoom, pinned: state.pinned && zoom, photo: false };
}

function withPhoto(state: State): State {
  const shown = shownOf(state);
  if (shown !== null && tileOf(shown.path) === null) return noted(state, "The image is a whole photo.");
  return { ...state, photo: !state.photo && isPainted(state) };
}

/** A person who has hidden the probability does not see the explanation either: it would sway the answer. */
function withExplains(state: State): State {
  const explains = !state.explains;
  const isHidden = explains && state.blind;
  return isHidden
    ? noted({ ...state, explains }, "The explanation is hidden, because the probability is.")
    : { ...state, explains };
}

function withPin(state: State): State {
  if (!state.zoom) return noted(state, "Zoom in first; then the view can be kept for the next images.");
  return { ...state, pinned: !state.pinned };
}

function withWaiting(state: State, waiting: number, images: readonly number[]): State {
  const answered = new Map(state.answered);
  for (const image of images) answered.set(image, Infinity);
  const queue = state.queue.filter((asked) => asked.again || !images.includes(asked.image));
  return {
    ...state,
    waiting,
    answered,
    queue,
    stuck: state.stuck && waiting > 0,
    held: state.held && waiting > 0,
  };
}

function withStored(state: State, images: readonly number[], counts: Counts): State {
  const { positives, negatives, skipped, left } = counts;
  const tick = state.tick + 1;
  const answered = new Map(state.answered);
  for (const image of images) answered.set(image, tick);
  return {
    ...state,
    tick,
    status: state.status && { ...state.status, positives, negatives, skipped, left },
    answered,
    held: false,
    link: "here",
    trouble: null,
    unauthorised: false,
  };
}
