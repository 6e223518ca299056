"use strict";
// Draws the figures embedded in the page with uPlot: every series over its own points, hover values,
// linear and logarithmic axes, series on and off (click the legend), zoom by dragging.
(() => {
  const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
  // Viridis at equal steps; colours between are interpolated.
  const VIRIDIS = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
    [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37]];
  const HEIGHT = 430;
  const page = JSON.parse(document.getElementById("page-data").textContent);

  const shown = (v) => v === 0 ? "0"
    : Math.abs(v) >= 1e-4 && Math.abs(v) < 1e6 ? String(+v.toPrecision(6))
      : v.toPrecision(5).replace(/\.?0+e/, "e").replace("e+", "e");
  const drawable = (v, log) => v !== null && Number.isFinite(v) && (!log || v > 0);
  const element = (name, attributes = {}, ...children) => {
    const e = Object.assign(document.createElement(name), attributes);
    e.append(...children);
    return e;
  };

  function padded(values, log) {
    const scale = log ? Math.log : (v) => v;
    let low = Infinity, high = -Infinity;
    for (const v of values) {
      if (!drawable(v, log)) continue;
      low = Math.min(low, scale(v));
      high = Math.max(high, scale(v));
    }
    if (low > high) [low, high] = log ? [0, 1] : [0, 1];
    const margin = high > low ? 0.03 * (high - low) : 0.5 * Math.max(Math.abs(low), 1);
    const ends = [low - margin, high + margin];
    return log ? ends.map(Math.exp) : ends;
  }

  // From the outer edge of the first cell to that of the last.
  function edges(centres, log) {
    const s = centres.map(log ? Math.log : (v) => v), n = s.length, out = [];
    const half = n > 1 ? null : 0.5 * Math.max(Math.abs(s[0]), 1);
    out.push(half === null ? s[0] - (s[1] - s[0]) / 2 : s[0] - half);
    for (let i = 1; i < n; i++) out.push((s[i - 1] + s[i]) / 2);
    out.push(half === null ? s[n - 1] + (s[n - 1] - s[n - 2]) / 2 : s[0] + half);
    return log ? out.map(Math.exp) : out;
  }

  function viridis(t) {
    const at = Math.min(Math.max(t, 0), 1) * (VIRIDIS.length - 1), i = Math.min(Math.floor(at), VIRIDIS.length - 2);
    const mix = VIRIDIS[i].map((c, k) => Math.round(c + (at - i) * (VIRIDIS[i + 1][k] - c)));
    return `rgb(${mix.join(",")})`;
  }

  // What a curve figure needs: ranges, series for uPlot, the nearest point to the mouse.
  function curves(content, log) {
    const { series, marks } = content;
    const one = series.every((s) => s.quantity === series[0].quantity);
    const colour = (s) => COLOURS[(one && s.role === "points" ? 1 : s.quantity) % COLOURS.length];
    const xs = series.flatMap((s) => s.x).concat(marks.map((m) => m.x));
    const ys = series.flatMap((s) => s.y.concat((s.limits || []).flat()));
    const limit = (s, i, side) => {
      const v = s.limits[i][side];
      return drawable(v, log.y) ? v : side === 0 ? s.y[i] / 10 : s.y[i];
    };
    const usable = (s, i) => drawable(s.x[i], log.x) && drawable(s.y[i], log.y);

    function draw(u, index) {
      const s = series[index - 1], ctx = u.ctx, ratio = devicePixelRatio || 1;
      const px = (v) => u.valToPos(v, "x", true), py = (v) => u.valToPos(v, "y", true);
      const runs = [[]];
      s.x.forEach((_, i) => usable(s, i) ? runs[runs.length - 1].push(i) : runs.push([]));
      ctx.save();
      ctx.beginPath();
      ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
      ctx.clip();
      ctx.strokeStyle = ctx.fillStyle = colour(s);
      if (s.role === "points") {
        ctx.lineWidth = 1.2 * ratio;
        for (const i of runs.flat()) {
          if (s.limits) {
            ctx.beginPath();
            ctx.moveTo(px(s.x[i]), py(limit(s, i, 0)));
            ctx.lineTo(px(s.x[i]), py(limit(s, i, 1)));
            ctx.stroke();
          }
          ctx.beginPath();
          ctx.arc(px(s.x[i]), py(s.y[i]), 3.5 * ratio, 0, 2 * Math.PI);
          ctx.fill();
        }
      } else {
        ctx.lineWidth = 2 * ratio;
        ctx.lineJoin = "round";
        for (const run of runs) {
          if (s.limits) {
            ctx.globalAlpha = 0.18;
            ctx.beginPath();
            run.forEach((i) => ctx.lineTo(px(s.x[i]), py(limit(s, i, 1))));
            run.slice().reverse().forEach((i) => ctx.lineTo(px(s.x[i]), py(limit(s, i, 0))));
            ctx.fill();
            ctx.globalAlpha = 1;
          }
          ctx.setLineDash(s.role === "alternative" ? [8 * ratio, 4 * ratio] : []);
          ctx.beginPath();
          run.forEach((i) => ctx.lineTo(px(s.x[i]), py(s.y[i])));
          ctx.stroke();
        }
      }
      ctx.restore();
      return null;
    }

    function nearest(u, left, top) {
      let best = null, least = 30 * 30;
      series.forEach((s, k) => {
        if (!u.series[k + 1].show) return;
        s.x.forEach((x, i) => {
          if (!usable(s, i)) return;
          const d = (u.valToPos(x, "x") - left) ** 2 + (u.valToPos(s.y[i], "y") - top) ** 2;
          if (d < least) { least = d; best = [s, i]; }
        });
      });
      if (!best) return null;
      const [s, i] = best;
      const band = s.limits ? ` (${shown(s.limits[i][0])} to ${shown(s.limits[i][1])})` : "";
      return { x: s.x[i], y: s.y[i], text: `${s.name}: ${shown(s.y[i])}${band} at ${shown(s.x[i])}` };
    }

    function annotate(u) {
      const ctx = u.ctx, ratio = devicePixelRatio || 1;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = "#666";
      ctx.font = `${12 * ratio}px sans-serif`;
      ctx.textAlign = "left";
      ctx.setLineDash([3 * ratio, 3 * ratio]);
      for (const m of marks) {
        if (!drawable(m.x, log.x)) continue;
        const x = u.valToPos(m.x, "x", true);
        if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
        ctx.beginPath();
        ctx.moveTo(x, u.bbox.top);
        ctx.lineTo(x, u.bbox.top + u.bbox.height);
        ctx.stroke();
        ctx.fillText(m.label, x + 4 * ratio, u.bbox.top + 14 * ratio);
      }
      ctx.restore();
    }

    const points = series.reduce((n, s) => n + s.x.filter((_, i) => usable(s, i)).length, 0);
    const entries = series.map((s) => ({ label: s.name, stroke: colour(s), fill: s.role === "points" ? colour(s) : undefined,
      dash: s.role === "alternative" ? [8, 4] : undefined }));
    return { xRange: padded(xs, log.x), yRange: padded(ys, log.y), entries, draw, nearest, annotate, points };
  }

  function map(content, log, figure) {
    const { x, y, values, label } = content;
    const finite = values.flat().filter((v) => drawable(v, false));
    const low = Math.min(...finite), high = Math.max(...finite);
    // A map that spans decades shows its decades.
    const decades = low > 0 && high / low > 50;
    const shade = (v) => high > low ? (decades ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low)) : 0.5;
    const xe = edges(x, log.x), ye = edges(y, log.y);
    const ends = (e) => [Math.min(e[0], e[e.length - 1]), Math.max(e[0], e[e.length - 1])];

    function draw(u) {
      const ctx = u.ctx;
      ctx.save();
      ctx.beginPath();
      ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
      ctx.clip();
      const px = xe.map((v) => Math.round(u.valToPos(v, "x", true)));
      const py = ye.map((v) => Math.round(u.valToPos(v, "y", true)));
      values.forEach((row, j) => row.forEach((v, i) => {
        if (!drawable(v, false)) return;
        ctx.fillStyle = viridis(shade(v));
        ctx.fillRect(Math.min(px[i], px[i + 1]), Math.min(py[j], py[j + 1]),
          Math.abs(px[i + 1] - px[i]), Math.abs(py[j + 1] - py[j]));
      }));
      ctx.restore();
      return null;
    }

    function nearest(u, left, top) {
      const vx = u.posToVal(left, "x"), vy = u.posToVal(top, "y");
      const cell = (e, v) => e.findIndex((_, i) => i + 1 < e.length && (v - e[i]) * (v - e[i + 1]) <= 0);
      const i = cell(xe, vx), j = cell(ye, vy);
      if (i < 0 || j < 0) return null;
      const v = values[j][i];
      const text = `${figure.x.label} = ${shown(x[i])}, ${figure.y.label} = ${shown(y[j])}: ` +
        `${label} = ${v === null ? "none" : shown(v)}`;
      return { x: x[i], y: y[j], text };
    }

    const stops = VIRIDIS.map((c) => `rgb(${c.join(",")})`).join(",");
    const bar = element("i");
    bar.style.background = `linear-gradient(to right, ${stops})`;
    const scale = element("div", { className: "scale" }, label, " ", shown(low), bar, shown(high),
      decades ? " (logarithmic)" : "");
    return { xRange: ends(xe), yRange: ends(ye), entries: [{ label, stroke: "#444" }], draw, nearest,
      annotate: () => {}, points: finite.length, scale };
  }

  function show(figure, place) {
    const isMap = "map" in figure.content;
    const content = isMap ? figure.content.map : figure.content.curves;
    const log = { x: figure.x.log, y: figure.y.log };
    const chart = element("div", { className: "chart" });
    const tip = element("div", { className: "tip" });
    const tools = element("div", { className: "tools" });
    const block = element("figure", {}, tools, chart);
    place.append(block);
    let plot = null, parts = null;

    function build() {
      if (plot) plot.destroy();
      chart.replaceChildren();
      parts = isMap ? map(content, log, figure) : curves(content, log);
      const facets = [{ scale: "x", auto: true }, { scale: "y", auto: true }];
      // Round numbers: 1, 2 and 5 in each decade, powers of ten where there are many.
      const decades = (low, high) => {
        const out = [], few = Math.log10(high / low) <= 4 ? [1, 2, 5] : [1];
        const last = Math.floor(Math.log10(high)), step = Math.max(1, Math.ceil(Math.log10(high / low) / 12));
        for (let k = Math.floor(Math.log10(low)); k <= last; k += step) {
          for (const m of few) {
            const v = m * 10 ** k;
            if (v >= low && v <= high) out.push(+v.toPrecision(1));
          }
        }
        return out;
      };
      const ticks = (isLog) => isLog ? { splits: (u, i, low, high) => decades(low, high), filter: (u, splits) => splits } : {};
      const axis = (a, isLog) => ({ ...ticks(isLog), values: (u, splits) => splits.map((v) => v === null ? "" : shown(v)), label: a.label, labelSize: 24, font: "12px sans-serif", labelFont: "14px sans-serif",
        grid: { stroke: "#eee" }, ticks: { stroke: "#bbb" } });
      const scale = (isLog, range) => ({ time: false, distr: isLog ? 3 : 1, range: () => range });
      plot = new uPlot({
        mode: 2, title: figure.title, width: chart.clientWidth || 860, height: HEIGHT,
        scales: { x: scale(log.x, parts.xRange), y: scale(log.y, parts.yRange) },
        axes: [axis(figure.x, log.x), { ...axis(figure.y, log.y), size: 70 }],
        series: [{}, ...parts.entries.map((e) => ({ ...e, facets, paths: parts.draw, points: { show: false } }))],
        legend: { show: !isMap, live: false },
        cursor: { drag: { x: true, y: true, uni: 20 }, points: { show: false }, dataIdx: () => null },
        hooks: { draw: [parts.annotate] },
      }, [null, ...parts.entries.map((_, k) => isMap ? [[content.x[0]], [content.y[0]]] : [content.series[k].x, content.series[k].y])], chart);
      plot.over.append(tip);
      plot.over.addEventListener("mousemove", hover);
      plot.over.addEventListener("mouseleave", () => { tip.style.display = "none"; });
      if (parts.scale) chart.append(parts.scale);
    }

    function hover(event) {
      const box = plot.over.getBoundingClientRect();
      const found = parts.nearest(plot, event.clientX - box.left, event.clientY - box.top);
      tip.style.display = found ? "block" : "none";
      if (!found) return;
      tip.textContent = found.text;
      const left = plot.valToPos(found.x, "x"), top = plot.valToPos(found.y, "y");
      tip.style.left = `${Math.max(0, Math.min(left + 10, box.width - tip.offsetWidth))}px`;
      tip.style.top = `${Math.max(0, top - 34)}px`;
    }

    for (const key of ["x", "y"]) {
      const values = isMap ? content[key] : content.series.flatMap((s) => s[key]);
      if (isMap || !values.some((v) => drawable(v, true))) continue;
      const box = element("input", { type: "checkbox", checked: log[key] });
      box.addEventListener("change", () => { log[key] = box.checked; build(); });
      tools.append(element("label", {}, box, ` logarithmic ${key} axis`));
    }
    const file = (label, text, name, type) => {
      const button = element("button", { type: "button", textContent: label });
      button.addEventListener("click", () => {
        const link = element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      });
      tools.append(button);
    };
    const stem = figure.title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "figure";
    file("data (CSV)", figure.csv, `${stem}.csv`, "text/csv");
    file("figure (SVG)", figure.svg, `${stem}.svg`, "image/svg+xml");
    tools.append(element("span", { className: "hint", textContent: isMap
      ? "hover for values, drag to zoom, double-click to reset"
      : "hover for values, click a name to hide it, drag to zoom, double-click to reset" }));
    build();
    addEventListener("resize", () => plot.setSize({ width: chart.clientWidth, height: HEIGHT }));
    return parts.points;
  }

  const place = document.getElementById("figures");
  const points = page.figures.map((figure) => show(figure, place));
  // What a test of the page reads.
  document.body.dataset.figures = points.length;
  document.body.dataset.points = points.join(" ");
})();
