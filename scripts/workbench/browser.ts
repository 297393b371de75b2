/** A headless Chromium that has access to this machine only. */
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
 * Notes every request to another host than the server. A webview's own files come from
 * `*.vscode-resource.vscode-cdn.net`, which a service worker of VS Code answers from the server; only requests that
 * bypass it fail to resolve. Reloading a window aborts its pending requests.
 */
export function watchRequests(context: BrowserContext, authority: string): string[] {
  const outside: string[] = [];
  const isOurs = (url: string) => {
    const { protocol, host } = new URL(url);
    return host === authority || ['data:', 'blob:', 'about:'].includes(protocol);
  };
  const byServiceWorker = (url: string) => new URL(url).host.endsWith('.vscode-resource.vscode-cdn.net');
  context.on('requestfailed', (request) => {
    const [url, why] = [request.url(), request.failure()?.errorText];
    const brokenOff = byServiceWorker(url) && why === 'net::ERR_ABORTED';
    if (!isOurs(url) && !brokenOff) outside.push(`${url} (${why})`);
  });
  context.on('requestfinished', (request) => {
    if (!isOurs(request.url()) && !byServiceWorker(request.url())) outside.push(request.url());
  });
  return outside;
}
