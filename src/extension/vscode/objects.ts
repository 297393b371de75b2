/** Classes of the editor that hold text, constructed from text that has passed through `foreign-text`. */
import * as editor from 'vscode';
import { inertLine, visible } from '../../foreign-text';
import type { Markdown } from './markdown';

/** For tooltips and hovers. Its links can run the given commands and no others. */
export function markdown({ text, commands }: Markdown): editor.MarkdownString {
  const made = new editor.MarkdownString(text);
  if (commands.length > 0) made.isTrusted = { enabledCommands: commands };
  return made;
}

export class Hover extends editor.Hover {
  constructor(content: Markdown, range?: editor.Range) {
    super(markdown(content), range);
  }
  declare protected readonly made: true;
  declare readonly contents: editor.MarkdownString[];
}

/** A command above a line. `icon` is a codicon before its title. */
export class CodeLens extends editor.CodeLens {
  constructor(
    line: number,
    { icon, title, command, args = [] }: { icon?: string; title: string; command: string; args?: unknown[] },
  ) {
    // VS Code drops a plain space after a lens's icon.
    const shown = icon === undefined ? inertLine(title) : `$(${icon})\u00a0${inertLine(title)}`;
    super(new editor.Range(line, 0, line, 0), { title: shown, command, arguments: args });
  }
  declare protected readonly made: true;
  declare readonly command?: Readonly<editor.Command>;
}

export class TreeItem extends editor.TreeItem {
  constructor(label: string, state?: editor.TreeItemCollapsibleState) {
    super(inertLine(label), state);
  }
  declare protected readonly made: true;
  declare readonly label?: string;
  declare readonly description?: string;
  declare readonly tooltip?: editor.MarkdownString;
  declare readonly accessibilityInformation?: editor.AccessibilityInformation;
}

/** A line of the Problems panel; VS Code does not parse links and icons in it. */
export class Diagnostic extends editor.Diagnostic {
  constructor(range: editor.Range, message: string, severity: editor.DiagnosticSeverity) {
    super(range, visible(message), severity);
    this.source = 'Distillery';
  }
  declare protected readonly made: true;
  declare readonly message: string;
}

export class CodeAction extends editor.CodeAction {
  constructor(title: string, kind: editor.CodeActionKind) {
    super(inertLine(title), kind);
  }
  declare protected readonly made: true;
  declare readonly title: string;
}

export class CompletionItem extends editor.CompletionItem {
  constructor(label: string, kind: editor.CompletionItemKind, detail: string) {
    super(inertLine(label), kind);
    this.detail = inertLine(detail);
  }
  declare protected readonly made: true;
  declare readonly label: string;
  declare readonly detail?: string;
}

export class DocumentSymbol extends editor.DocumentSymbol {
  constructor(
    { name, detail, kind }: { name: string; detail: string; kind: editor.SymbolKind },
    range: editor.Range,
    selection: editor.Range,
  ) {
    super(inertLine(name) || ' ', inertLine(detail), kind, range, selection);
  }
  declare protected readonly made: true;
  declare readonly name: string;
  declare readonly detail: string;
}

export class InlayHint extends editor.InlayHint {
  constructor(at: editor.Position, label: string) {
    super(at, inertLine(label));
  }
  declare protected readonly made: true;
  declare readonly label: string;
}

export class DocumentLink extends editor.DocumentLink {
  constructor(range: editor.Range, target: editor.Uri, tooltip?: string) {
    super(range, target);
    if (tooltip !== undefined) this.tooltip = inertLine(tooltip);
  }
  declare readonly tooltip?: string;
}

/** The failure of a test item; VS Code shows `expected` and `actual` in a diff. */
export class TestMessage extends editor.TestMessage {
  constructor(message: string, more: { expected?: string; actual?: string; location?: editor.Location } = {}) {
    super(visible(message));
    this.expectedOutput = more.expected;
    this.actualOutput = more.actual;
    this.location = more.location;
  }
  declare protected readonly made: true;
  declare readonly message: string;
}
