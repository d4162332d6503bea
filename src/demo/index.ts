/** The main job on embedded defaults, with synthetic films. */
export { commandsAfter, type NextCommand } from "./commands.ts";
export { type DemoEvent, type DemoOptions, type DemoResult, runDemo } from "./demo.ts";
export { DEMO_DEFAULTS, type DemoSettings } from "./settings.ts";
export type { ShownFilm } from "./shown-films.ts";
