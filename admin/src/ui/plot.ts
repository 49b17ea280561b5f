/** uPlot with the colours of the page. Loaded by the first chart. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Line } from "./chart";

interface Look {
  title: string;
  names: string[];
  format: (value: number) => string;
  colours: readonly string[];
  dashes: readonly number[][];
}

interface Data {
  lines: readonly Line[];
  fromMs: number;
  stepS: number;
}

export interface PlotHandle {
  show: (data: Data) => void;
  end: () => void;
}

/** Draw into `host`, which gives the size. Colours are names of the page's tokens. */
export function createPlot(host: HTMLElement, { names, format, colours, dashes }: Look): PlotHandle {
  // A canvas does not know light-dark(), so an element computes each colour.
  const probe = host.appendChild(document.createElement("span"));
  const colour = (token: string): string => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const axis = { stroke: colour("--text-soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  const plot = new uPlot(
    {
      width: host.clientWidth,
      height: host.clientHeight,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), high && high > 0 ? high * 1.1 : 1] } },
      series: [
        {},
        ...names.map((name, n) => ({
          label: name,
          stroke: colour(colours[n % colours.length] ?? "--accent"),
          dash: dashes[n % dashes.length] ?? [],
          width: 1.5,
          fill: names.length === 1 ? colour("--accent-soft") : undefined,
          spanGaps: false,
          points: { show: (plot: uPlot, series: number): boolean => isSparse(plot.data[series] ?? []) },
        })),
      ] as uPlot.Series[],
      axes: [
        { ...axis, size: 26, space: 60, values: "{HH}:{mm}" as unknown as uPlot.Axis.Values },
        { ...axis, size: 72, space: 32, values: (_, values) => distinct(values.map((value) => format(value))) },
      ],
    },
    [[], ...names.map(() => [])],
    host,
  );
  probe.remove();
  const sized = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height: host.clientHeight }));
  sized.observe(host);
  return {
    show({ lines, fromMs, stepS }) {
      const length = lines[0]?.values.length ?? 0;
      const times = Array.from({ length }, (_, n) => fromMs / 1000 + n * stepS);
      plot.setData([times, ...lines.map((line) => [...line.values])] as uPlot.AlignedData);
    },
    end() {
      sized.disconnect();
      plot.destroy();
    },
  };
}

/** Two steps of an axis may be written alike, such as 0.5 and 1 of a count: the second has no text. */
function distinct(texts: string[]): string[] {
  return texts.map((text, n) => (text === texts[n - 1] ? "" : text));
}

/** A value between two gaps has no line, so sparse data shows points. */
function isSparse(values: ArrayLike<number | null | undefined>): boolean {
  return Array.from(values).filter((value) => value !== null && value !== undefined).length < 4;
}
