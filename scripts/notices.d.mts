/** One notice for each package folder, such as `node_modules/zod`; throws where a full text is missing. */
export function notices(packages: readonly string[]): string;
/** Folders of packages among the files that went into the bundles. */
export function packagesOf(files: readonly string[]): string[];
