// What jsdom lacks of a browser, for the tests.
HTMLDialogElement.prototype.showModal = function () {
  this.open = true;
};
HTMLImageElement.prototype.decode = () => Promise.resolve();
URL.createObjectURL = () => "blob:picture";
URL.revokeObjectURL = () => undefined;
