import ts from 'typescript';
import { markdownProse } from './markdown-prose.mjs';

/**
 * Reads what a TypeScript or JavaScript text says to people: comments, docstrings and string literals of more than one
 * word. Identifiers, import paths and single words are code.
 * @param {string} source
 * @param {string} name of the file
 * @returns {{ text: string, lines: number[], sentences: boolean }[]}
 */
export function codeProse(source, name = 'file.ts') {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true);
  const lineOf = (position) => file.getLineAndCharacterOfPosition(position).line + 1;
  const found = [];
  const literals = [];

  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return void literals.push([node.getStart(), node.end]);
    const text = literalText(node);
    if (text !== undefined) {
      found.push({ text, lines: Array(text.length).fill(lineOf(node.getStart())), sentences: false });
    }
    if (isLiteral(node)) literals.push([node.getStart(), node.end]);
    ts.forEachChild(node, visit);
  };
  visit(file);

  // Comments are what looks like one outside of every literal.
  let rest = source;
  for (const [from, to] of literals) {
    if (!source.slice(from, to).includes('/')) continue;
    rest = rest.slice(0, from) + source.slice(from, to).replace(/[^\n]/g, '"') + rest.slice(to);
  }
  for (const { 0: comment, index } of rest.matchAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*/g)) {
    const line = lineOf(index);
    for (const prose of markdownProse(commentText(comment))) {
      if (!/\s/.test(prose.text.trim())) continue;
      const lines = prose.lines.map((own) => own + line - 1);
      found.push({ text: prose.text, lines, sentences: comment.startsWith('/**') });
    }
  }
  return found;
}

/** The text of a literal, of a template and of literals added to each other, unless one of these holds the node. */
function literalText(node) {
  if (!isPart(node) || isPart(node.parent)) return undefined;
  if (ts.isLiteralTypeNode(node.parent) || (ts.isPropertyAssignment(node.parent) && node.parent.name === node)) return undefined;
  const text = textOf(node);
  return /\s/.test(text.trim()) ? text : undefined;
}

function textOf(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  if (ts.isBinaryExpression(node)) return textOf(node.left) + textOf(node.right);
  return '…';
}

function isPart(node) {
  if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) return true;
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return false;
  return isPart(node.left) || isPart(node.right);
}

function isLiteral(node) {
  return (
    ts.isStringLiteralLike(node) ||
    ts.isTemplateHead(node) ||
    ts.isTemplateMiddleOrTemplateTail(node) ||
    ts.isRegularExpressionLiteral(node)
  );
}

/** A comment without its marks, line by line; each tag begins a paragraph, and a link is one word. */
function commentText(comment) {
  return comment
    .replace(/^\/\*\*?|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*(?:\/\/|\*(?!\/))\s?/, ''))
    .map((line) => line.replace(/\{@\w+ [^}]*\}/g, (link) => `\`${link.slice(1, -1)}\``))
    .map((line) => line.replace(/^\s*@(\w+)(?: (?:\{[^}]*\} )?\[?[\w.]+\]?(?: -)?(?= |$))?/, '- '))
    .join('\n');
}
