/**
 * The elements of @vscode/webview-ui-toolkit that the pages use. The toolkit is archived: to replace it, define these
 * elements here by another library.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { once } from '../../src/once';

export type { TextField } from '@vscode/webview-ui-toolkit';

export const defineCheckbox = once(() => provideVSCodeDesignSystem().register(vsCodeCheckbox()));

export const defineFields = once(() =>
  provideVSCodeDesignSystem().register(vsCodeDropdown(), vsCodeOption(), vsCodeTextField()),
);
