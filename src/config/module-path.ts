/** Texts of `use` that mean a module and not one of our components; its ending is checked later (code-module.ts). */
export const modulePath = /^\.\.?[\\/]|\.[cm]?[jt]s$/;
export type ModulePath = `./${string}` | `../${string}` | `${string}.${'mjs' | 'js' | 'cjs'}`;

/** The default name of the component: the file's, without its endings. */
export const moduleName = (path: string): string =>
  path.replace(/^.*[\\/]/, '').replace(/(\.reward)?\.[^.]*$/, '') || path;
