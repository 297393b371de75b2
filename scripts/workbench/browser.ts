/** A headless Chromium that can reach this machine only. */
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import type { Workbench } from './install';

export function launchBrowser(workbench: Pick<Workbench, 'browser'>): Promise<Browser> {
  return chromium.launch({
    executablePath: workbench.browser,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), // Chromium's sandbox does not work for root
      ...['--disable-gpu', '--no-first-run', '--disable-component-update', '--disable-background-networking'],
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}

/**
 * Notes every request to another host than the server. A webview's own files come from `*.vscode-resource.vscode-cdn.net`, which
 * a service worker of VS Code answers from the server: only what gets past it fails to resolve.
 */
export function watchRequests(context: BrowserContext, authority: string): string[] {
  const outside: string[] = [];
  const isOurs = (url: string) => {
    const { protocol, host } = new URL(url);
    return host === authority || ['data:', 'blob:', 'about:'].includes(protocol);
  };
  context.on('requestfailed', (request) => {
    if (!isOurs(request.url())) outside.push(`${request.url()} (${request.failure()?.errorText})`);
  });
  context.on('requestfinished', (request) => {
    const byServiceWorker = new URL(request.url()).host.endsWith('.vscode-resource.vscode-cdn.net');
    if (!isOurs(request.url()) && !byServiceWorker) outside.push(request.url());
  });
  return outside;
}
