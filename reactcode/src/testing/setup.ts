// What jsdom lacks of a browser, for the tests.
import { configure } from "@testing-library/react";
import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { beforeEach } from "vitest";

configure({ asyncUtilTimeout: 10_000 }); // a busy machine is no failure

beforeEach(() => {
  indexedDB = new IDBFactory();
});

HTMLDialogElement.prototype.showModal = function () {
  this.open = true;
};
HTMLImageElement.prototype.decode = () => Promise.resolve();
HTMLElement.prototype.setPointerCapture = () => undefined;
globalThis.ResizeObserver = class {
  observe = () => undefined;
  unobserve = () => undefined;
  disconnect = () => undefined;
};
HTMLCanvasElement.prototype.getContext = () => null;
HTMLCanvasElement.prototype.toBlob = (callback) => callback(new Blob(["drawn"]));
URL.createObjectURL = () => "blob:picture";
URL.revokeObjectURL = () => undefined;
HTMLCanvasElement.prototype.getContext = () => null;
