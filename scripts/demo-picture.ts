/**
 * The README's picture: parts of a demo's page side by side, taken by a real browser.
 *
 *   npx hilum demo --train
 *   npx tsx scripts/demo-picture.ts hilum-demo/demo.html docs/pictures/demo.png
 *
 * CHROMIUM names the browser (default: /usr/bin/chromium).
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";

const [page = "hilum-demo/demo.html", picture = "docs/pictures/demo.png"] = process.argv.slice(2);

/** Sections of the page in each column of the picture, by their headings; null is what stands above all. */
const COLUMNS = [
  [null, "The films, by what they show"],
  ["Learning", "On films that it had not seen", "Readings"],
];
const WIDTH = 1000;
const HEIGHT = 1416;

/** Runs in the page: removes other sections, and the table of all metrics. */
const KEEP_ONLY = `(headings) => {
  for (const child of document.querySelectorAll("main > *")) {
    const heading = child.querySelector("h2")?.textContent ?? null;
    if (!headings.includes(heading) || child.tagName === "FOOTER") child.remove();
  }
  for (const table of document.querySelectorAll("section > .side + .side")) table.remove();
}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const columns = await Promise.all(
  COLUMNS.map(async (wanted) => {
    const tab = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
    await tab.goto(pathToFileURL(resolve(page)).href);
    await tab.evaluate(`(${KEEP_ONLY})(${JSON.stringify(wanted)})`);
    return tab.screenshot();
  }),
);
await browser.close();
const sheet = await sharp({
  create: { width: 2 * WIDTH, height: HEIGHT, channels: 3, background: "#ffffff" },
})
  .composite(columns.map((input, index) => ({ input, left: index * WIDTH, top: 0 })))
  .png()
  .toBuffer();
// READMEs are shown less than 1,000 pixels wide; grey levels bear few colours well.
const png = await sharp(sheet)
  .resize({ width: 1280 })
  .png({ palette: true, colours: 48, effort: 10 })
  .toBuffer();
writeFileSync(picture, png);
console.log(`${picture}: ${Math.round(png.length / 1000)} kB`);
