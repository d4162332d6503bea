/** The main job on embedded defaults, with synthetic films. */
export { COMMANDS_AFTER_READING, commandsAfter, type NextCommand } from "./commands.ts";
export { type DemoEvent, type DemoOptions, type DemoResult, runDemo } from "./demo.ts";
export {
  type ReadingDemoEvent,
  type ReadingDemoOptions,
  type ReadingDemoResult,
  runReadingDemo,
} from "./reading-demo.ts";
export { SYNTHETIC_BANNER } from "./reading-page.ts";
export { DEMO_DEFAULTS, type DemoSettings } from "./settings.ts";
export type { ShownFilm } from "./shown-films.ts";
