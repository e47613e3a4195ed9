namespace Meft.Reporting;

/// <summary>The only script of a report: numbers of a chart's curves under the pointer. Without it all else is there.</summary>
internal static class ReportScript
{
    public const string Pointer = """
        for (const svg of document.querySelectorAll('svg[data-curves]')) {
          const curves = JSON.parse(svg.dataset.curves), cross = svg.querySelector('.cross'), tip = document.createElement('div');
          tip.className = 'tip'; svg.after(tip);
          const show = e => {
            const box = svg.getBoundingClientRect(), scale = Math.min(box.width / 640, box.height / 260), left = (box.width - 640 * scale) / 2;
            const x = (e.clientX - box.left - left) / scale, near = points => points.reduce((a, b) => Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a);
            const at = near(curves.flatMap(c => c[1])), lines = [at[2]];
            for (const [name, points] of curves) { const p = near(points); if (Math.abs(p[0] - at[0]) < 8) lines.push(name + '  ' + p[3]); }
            cross.setAttribute('x1', at[0]); cross.setAttribute('x2', at[0]); cross.style.visibility = tip.style.visibility = 'visible';
            tip.replaceChildren(...lines.map((line, i) => { const p = document.createElement('div'); p.textContent = line; if (!i) p.style.opacity = .7; return p; }));
            const px = left + at[0] * scale; tip.style.top = '6px';
            tip.style.left = Math.max(0, px + 12 + tip.offsetWidth > box.width ? px - 12 - tip.offsetWidth : px + 12) + 'px';
          };
          const hide = () => cross.style.visibility = tip.style.visibility = 'hidden';
          svg.addEventListener('pointermove', show); svg.addEventListener('pointerdown', show); svg.addEventListener('pointerleave', hide);
        }
        """;
}
