/** A chart of time series, with a table behind it. uPlot is loaded with the first chart. */
import { useEffect, useRef } from "preact/hooks";
import { localTime } from "../format/units";
import { UNKNOWN } from "../format/points";
import { theme } from "./theme";

export interface Line {
  name: string;
  /** The n-th value is of `fromMs + n * stepS * 1000` on. Null is unknown, and shows as a gap. */
  values: readonly (number | null)[];
}

export interface ChartProps {
  title: string;
  fromMs: number;
  stepS: number;
  lines: readonly Line[];
  /** How a value is written, with its unit. */
  format: (value: number) => string;
}

const COLOURS = ["--accent", "--warn", "--bad", "--text-soft"];
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

export function Chart(props: ChartProps) {
  const { title, lines, fromMs, stepS, format } = props;
  const newest = lines.map((line) => line.values.findLast((value) => value !== null) ?? null);
  return (
    <figure class="chart">
      <figcaption class="row spread">
        <strong>{title}</strong>
        <span class="small soft">
          {lines.map((line, n) => (
            <span key={line.name}>
              {n > 0 && " · "}
              {lines.length > 1 && `${line.name} `}
              {newest[n] === null || newest[n] === undefined ? UNKNOWN : format(newest[n])}
            </span>
          ))}
        </span>
      </figcaption>
      {newest.some((value) => value !== null) ? (
        <Plot {...props} />
      ) : (
        <div class="plot empty">Nothing is known of this time.</div>
      )}
      <details>
        <summary>Values as a table</summary>
        <Values lines={lines} fromMs={fromMs} stepS={stepS} format={format} title={title} />
      </details>
    </figure>
  );
}

function Values({ lines, fromMs, stepS, format, title }: ChartProps) {
  const length = lines[0]?.values.length ?? 0;
  const newestFirst = Array.from({ length }, (_, n) => length - 1 - n);
  return (
    <div class="values" tabIndex={0} role="region" aria-label={`${title}: values`}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Time</th>
            {lines.map((line) => <th key={line.name} scope="col" class="number">{line.name}</th>)}
          </tr>
        </thead>
        <tbody>
          {newestFirst.map((n) => (
            <tr key={n}>
              <th scope="row">{localTime(fromMs + n * stepS * 1000)}</th>
              {lines.map((line) => {
                const value = line.values[n];
                return <td key={line.name} class="number">{value === null || value === undefined ? "unknown" : format(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Plot({ title, lines, fromMs, stepS, format }: ChartProps) {
  const element = useRef<HTMLDivElement>(null);
  const look = theme.value;
  const draw = useRef<(() => void) | null>(null);
  const data = useRef({ lines, fromMs, stepS });
  data.current = { lines, fromMs, stepS };
  const names = lines.map((line) => line.name).join("\n");

  useEffect(() => {
    const host = element.current;
    if (!host) return;
    let ended = false;
    let end = (): void => undefined;
    void import("./plot").then(({ createPlot }) => {
      if (ended) return;
      const plot = createPlot(host, { title, names: names.split("\n"), format, colours: COLOURS, dashes: DASHES });
      draw.current = () => plot.show(data.current);
      draw.current();
      end = plot.end;
    });
    return () => {
      ended = true;
      draw.current = null;
      end();
    };
  }, [names, look]);
  useEffect(() => draw.current?.());
  return <div class="plot" ref={element} aria-hidden="true" />;
}
