//! How the page looks.

/// Colours by scheme, type, cards, charts, the story; and what changes on a phone and on paper.
pub(super) const STYLE: &str = "
:root{--bg:#f7f8fa;--card:#fff;--ink:#1a2230;--soft:#5b6678;--line:#e3e7ed;--grid:#edf0f4;--cand:#2563eb;--stab:#7c8798;
--lim:#b45309;--good:#14713a;--bad:#c81e3a;--unk:#8a5300;--run:#2563eb;--good-b:#e4f5ea;--bad-b:#fde8eb;--unk-b:#fdf2d8;
--run-b:#e5edfd;--neu-b:#eceff3}
@media(prefers-color-scheme:dark){:root{--bg:#0f141b;--card:#171e28;--ink:#e6eaf0;--soft:#98a3b3;--line:#29323f;
--grid:#222b37;--cand:#6aa5ff;--stab:#8d99aa;--lim:#f0a646;--good:#4cc77b;--bad:#ff7086;--unk:#e5b94e;--run:#6aa5ff;
--good-b:#16301f;--bad-b:#3a1a22;--unk-b:#332a12;--run-b:#182a48;--neu-b:#252e3a}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,'Segoe UI','Noto Sans',sans-serif}
main{max-width:960px;margin:0 auto;padding:32px 20px 48px}
h1{font-size:30px;line-height:1.2;margin:2px 0 10px;display:flex;flex-wrap:wrap;gap:12px;align-items:center;overflow-wrap:anywhere}
h2{font-size:19px;margin:36px 0 10px}h3{font-size:16px;margin:0;display:flex;gap:10px;align-items:center;
justify-content:space-between;overflow-wrap:anywhere}
p{margin:0}a{color:var(--cand)}code{font:12px ui-monospace,Menlo,Consolas,monospace;color:var(--soft);overflow-wrap:anywhere}
.over,dt,.note,figcaption,.allowed,.foot,footer,.moved,time{color:var(--soft);font-size:13px}
.over{letter-spacing:.02em}.lead{font-size:17px;max-width:46em;overflow-wrap:anywhere}
dl{display:flex;flex-wrap:wrap;gap:10px 36px;margin:16px 0 0}dd{margin:0}
.chip{font-size:12px;font-weight:600;line-height:1;padding:5px 9px;border-radius:99px;white-space:nowrap;background:var(--neu-b);
color:var(--soft)}
.chip.good{background:var(--good-b);color:var(--good)}.chip.bad{background:var(--bad-b);color:var(--bad)}
.chip.unknown{background:var(--unk-b);color:var(--unk)}.chip.running{background:var(--run-b);color:var(--run)}
h1 .chip{font-size:14px;padding:7px 12px}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px;margin:0}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(400px,100%),1fr));gap:16px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 10px;padding:0;font-size:13px;color:var(--soft)}
.legend svg{width:22px;height:10px;margin-right:6px}
.said{font-size:13px;margin-top:8px;overflow-wrap:anywhere}.empty{color:var(--soft);padding:24px 0;text-align:center}
.note{margin-top:10px}
svg{display:block;width:100%;height:auto}.legend svg{display:inline-block}
svg text{font-size:12px;fill:var(--soft);font-family:inherit}.end{text-anchor:end}.mid,svg .number{text-anchor:middle}
path{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.grid{stroke:var(--grid);stroke-width:1}.axis{stroke:var(--line);stroke-width:1}
.candidate{stroke:var(--cand);stroke-width:2.5}.stable{stroke:var(--stab)}.limit{stroke:var(--lim);stroke-dasharray:5 5}
.band{fill:var(--cand);opacity:.13;stroke:none}.legend .band{stroke:var(--cand);stroke-width:9;stroke-linecap:butt;opacity:.25}
.area{fill:var(--cand);opacity:.09}.against{stroke:var(--bad)}.for{stroke:var(--good)}
.edge{stroke-width:1.3;stroke-dasharray:5 5;opacity:.8}.mark{stroke:var(--line);stroke-width:1;stroke-dasharray:2 3}
.dot{fill:var(--neu-b);stroke:var(--card);stroke-width:2}.dot.good{fill:var(--good)}.dot.bad{fill:var(--bad)}
.dot.unknown{fill:var(--unk)}.dot.running{fill:var(--run)}svg .number{fill:var(--card);font-size:11px;font-weight:700}
details{font-size:13px;margin-top:6px}summary{cursor:pointer;color:var(--soft)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:3px 6px;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:500}
.story{list-style:none;margin:0;padding:0}
.story>li{display:flex;gap:14px;position:relative;padding-bottom:18px;scroll-margin-top:16px}
.story>li:not(:last-child)::before{content:'';position:absolute;left:13px;top:26px;bottom:-2px;width:2px;background:var(--line)}
.story .number{flex:none;width:28px;height:28px;border-radius:50%;display:grid;place-items:center;font-size:12px;font-weight:700;
background:var(--neu-b);color:var(--soft);position:relative}
.good>.number{background:var(--good);color:var(--card)}.bad>.number{background:var(--bad);color:var(--card)}
.unknown>.number{background:var(--unk);color:var(--card)}.running>.number{background:var(--run);color:var(--card)}
.what{flex:1;min-width:0}.head{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:center;min-height:28px}
time{font-variant-numeric:tabular-nums}.sentence{overflow-wrap:anywhere;max-width:52em}.quiet .sentence{color:var(--soft);font-size:14px}
.evidence{list-style:none;margin:8px 0 0;padding:0;font-size:14px}
.evidence li{border-left:3px solid var(--line);padding:1px 10px;margin:4px 0;overflow-wrap:anywhere}
.evidence .good{border-color:var(--good)}.evidence .bad{border-color:var(--bad)}.evidence .unknown{border-color:var(--unk)}
.evidence .running{border-color:var(--run)}
.silence{font-size:13px;color:var(--unk);margin-top:4px}.foot{margin-top:3px}
.story>li:target .what{background:var(--run-b);border-radius:8px;box-shadow:0 0 0 8px var(--run-b)}
.gap{color:var(--soft);font-style:italic}footer{border-top:1px solid var(--line);padding-top:14px;margin-top:20px}
@media(max-width:600px){main{padding:20px 14px 32px}h1{font-size:24px}.card{padding:12px}
figure svg text{font-size:25px}figure svg .number{font-size:20px}figure svg .dot{r:17px}figure svg{overflow:visible}
.cards svg text{font-size:14px}}
@media print{body{background:#fff}.card,.story>li{break-inside:avoid}details{display:none}main{max-width:none;padding:0}}
";
