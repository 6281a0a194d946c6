// What jsdom lacks of a browser, for the tests.
import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { beforeEach } from "vitest";

beforeEach(() => {
  indexedDB = new IDBFactory();
});

HTMLDialogElement.prototype.showModal = function () {
  this.open = true;
};
HTMLImageElement.prototype.decode = () => Promise.resolve();
URL.createObjectURL = () => "blob:picture";
URL.revokeObjectURL = () => undefined;
HTMLCanvasElement.prototype.getContext = () => null;
