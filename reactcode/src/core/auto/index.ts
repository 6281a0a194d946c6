// AUTO: its clocks, late presses, attendance and the offer to stop; imports api types, browser and session.
export { Autopilot } from "./autopilot";
export { Pace, kindOf } from "./pace";
