import * as vscode from '../vscode';

/** A button of a message, and what it does. */
export interface Offer {
  title: string;
  run(): unknown;
}

/** A button that runs a command. */
export const commandOffer = (title: string, command: string, ...args: unknown[]): Offer => ({
  title,
  run: () => vscode.commands.executeCommand(command, ...args),
});

/** Does what the chosen button of a message says. A command that has finished does not wait for it. */
export async function carryOut(message: Thenable<Offer | undefined>): Promise<void> {
  await (await message)?.run();
}

/** Shows a message with buttons, and does what the chosen one says. */
export const offer = (text: string, ...offers: Offer[]): Promise<void> =>
  carryOut(vscode.window.showInformationMessage(text, ...offers));
