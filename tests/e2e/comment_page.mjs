// Renders a status comment as GitHub shows it: GitHub-flavoured Markdown below the head of a comment.
// node comment_page.mjs COMMENT.md STYLES.css light|dark > page.html
import { readFileSync } from 'node:fs';
import { marked } from 'marked';

const [comment, styles, theme] = process.argv.slice(2);
const markdown = readFileSync(comment, 'utf8').replace(/^<!--.*-->\n/, '');
// Callouts are GitHub's own: a quote whose first line names its kind.
const callout = (html) => html.replace(
  /<blockquote>\s*<p>\[!(\w+)\]\s*(?:<br>)?/g,
  (_, kind) => `<blockquote class="markdown-alert markdown-alert-${kind.toLowerCase()}"><p><b>${
    kind[0] + kind.slice(1).toLowerCase()}</b></p><p>`,
);
const body = callout(marked.parse(markdown, { gfm: true }));
const [back, border, head, text] = theme === 'dark'
  ? ['#0d1117', '#3d444d', '#151b23', '#9198a1'] : ['#ffffff', '#d1d9e0', '#f6f8fa', '#59636e'];
process.stdout.write(`<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>${readFileSync(styles, 'utf8')}
body { margin: 0; padding: 16px; background: ${back}; }
.box { border: 1px solid ${border}; border-radius: 6px; overflow: hidden; max-width: 860px; }
.top { background: ${head}; border-bottom: 1px solid ${border}; color: ${text}; padding: 8px 16px;
  font: 14px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
.markdown-body { padding: 16px; font-size: 14px; background: ${back}; }
.markdown-alert { border-left-color: #1f6feb; } .markdown-alert-caution { border-left-color: #d1242f; }
.markdown-alert-warning { border-left-color: #9a6700; } .markdown-alert-tip { border-left-color: #1a7f37; }
</style>
<div class="box"><div class="top"><b>github-actions</b> bot commented</div>
<div class="markdown-body">${body}</div></div>`);
