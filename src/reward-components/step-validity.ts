import { checkEquations } from '../arithmetic/calculator';
import { component } from './component';

/** Share of true equations; null without any. */
export const stepValidity = component({
  name: 'stepValidity',
  description: 'Share of the equations in the text that are true; does not apply to a text without equations.',
  options: () => ({}),
  score({ completion }) {
    const equations = checkEquations(completion.text);
    return equations.length === 0 ? null : equations.filter(({ correct }) => correct).length / equations.length;
  },
});
