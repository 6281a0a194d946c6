// The one line that says what is wrong.
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { START, type State } from "../../core/session";
import { FakeServer } from "../../testing/fakeServer";
import { Banner } from "./Banner";

afterEach(() => {
  cleanup();
  document.head.replaceChildren();
});

function said(change: Partial<State>): string {
  render(<Banner state={{ ...START, link: "here", status: new FakeServer().status, ...change }} />);
  return screen.getByRole("status", { hidden: true }).textContent;
}

it("says that answers do not reach the server", () => {
  expect(said({ held: true, waiting: 2 })).toContain("do not reach the server");
});

it.each([
  ["new.js", true],
  ["old.js", false],
  [null, false],
  [undefined, false],
])("asks for a reload where the server's page is %s and this one old.js: %s", (page, isOther) => {
  const script = Object.assign(document.createElement("script"), { type: "module" });
  script.setAttribute("src", "http://server/assets/old.js");
  document.head.append(script);
  const status = { ...new FakeServer().status, ...(page === undefined ? {} : { page }) };
  expect(said({ status }).includes("reload")).toBe(isOther);
});
