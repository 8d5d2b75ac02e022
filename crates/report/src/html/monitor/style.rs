//! What dashboards need beside the style of all pages.

/// Tables that are stacked on a phone, strips, histograms and bars.
pub(super) const STYLE: &str = "
main{max-width:1120px}.over{overflow-wrap:anywhere}nav{margin-bottom:18px;font-size:14px}small,.small{font-size:12px;color:var(--soft);font-weight:400}
.heard{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
table.told{background:var(--card);border:1px solid var(--line);border-radius:12px;border-collapse:separate;border-spacing:0;
font-size:14px}
.told th,.told td{text-align:left;vertical-align:top;padding:9px 12px;white-space:normal;overflow-wrap:anywhere;min-width:6.2em}
.told .short{overflow-wrap:normal}.told thead th{font-size:12px;white-space:nowrap;overflow-wrap:normal}.told tbody th{color:var(--ink);font-weight:600;min-width:11.5em}
.told tbody tr:last-child>*{border-bottom:0}.told ul{margin:0;padding-left:1.1em}.told svg{min-width:170px;max-width:300px}
.told .chip{display:inline-block}.card .told{border:0;background:none;font-size:13px}.card .told th,.card .told td{padding:4px 6px;min-width:0}
.part{margin:22px 0 10px}.wide{grid-column:1/-1}.cards .candidate{stroke-width:1.6}.card h3{margin-bottom:6px}
.roll{stroke:var(--run);stroke-width:1.5}.roll.back{stroke:var(--bad);stroke-dasharray:3 3}.tip{fill:var(--run)}
.roll.back.tip{fill:var(--bad);stroke-dasharray:none}
.s-good{fill:var(--good)}.s-bad{fill:var(--bad)}.s-unknown{stroke:var(--unk);stroke-width:8;stroke-dasharray:2.5 2;stroke-linecap:butt}
.before{fill:var(--stab);fill-opacity:.38;stroke:none}.now{stroke:var(--cand);stroke-width:2}
.legend .before{stroke:var(--stab);stroke-opacity:.5;stroke-width:9;stroke-linecap:butt}
.b-before{fill:var(--stab);fill-opacity:.55}.b-now{fill:var(--cand)}
.budget{font-size:14px;font-weight:600;margin:8px 0 4px}.bar{margin-bottom:10px}.bar .whole{fill:var(--neu-b)}.bar .spent{fill:var(--run)}
.bar .over{fill:var(--bad)}
@media(max-width:700px){table.told,.told tbody,.told tr,.told td,.told tbody th{display:block;width:100%}
.told thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.told tr{padding:10px 0;border-bottom:1px solid var(--line)}.told tr:last-child{border-bottom:0}
.told tbody th,.told td{border:0;padding:3px 12px}.told td{display:grid;grid-template-columns:7em minmax(0,1fr);gap:0 10px;
align-items:start;justify-items:start}.told td::before{content:attr(data-label);font-size:12px;line-height:1.75;color:var(--soft)}
.told td svg,.told td ul{justify-self:stretch}.wide svg{overflow:visible}.wide svg text{font-size:26px}
.wide svg text:nth-of-type(2n){display:none}}
";
