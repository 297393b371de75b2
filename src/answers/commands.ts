/** Meanings of LaTeX commands and their Unicode equivalents in answers. */
import Fraction from 'fraction.js';

const pairs = (text: string) =>
  new Map(text.split(/\s+/).map((pair): [string, string] => [pair.split('→')[0], pair.split('→')[1]]));

export const operators = pairs(
  '+→+ -→- −→- –→- ‐→- ‑→- －→- ﹣→- *→* ×→* ·→* ⋅→* ∙→* ⨯→* /→/ ÷→/ ∕→/ ⁄→/ ' +
    '^→^ _→_ !→! %→% ％→% ±→± ∓→∓ ∪→∪ ∩→∩ ∖→∖ :→: ：→: ∶→: ′→′ ' +
    'times→* cdot→* ast→* div→/ pm→± mp→∓ cup→∪ bigcup→∪ cap→∩ setminus→∖ backslash→∖ colon→: prime→′ bullet→* ' +
    '√→√ °→° ²→² ³→³ circ→° degree→° choose→choose',
);

export const relations = pairs(
  '==→= :=→= <=→≤ >=→≥ !=→≠ ⩽→≤ ⩾→≥ ≅→≈ ∼→≈ leq→≤ le→≤ leqslant→≤ geq→≥ ge→≥ geqslant→≥ lt→< gt→> neq→≠ ne→≠ ' +
    'in→∈ approx→≈ simeq→≈ cong→≈ equiv→≡ sim→≈ to→→ rightarrow→→ ' +
    'Rightarrow→⇒ implies→⇒ subseteq→⊆ subset→⊂ perp→⊥ parallel→∥',
);

/** Functions of one argument, whose brackets may be omitted. */
export const functions = new Set(
  (
    'sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln ' +
    'lg exp sqrt frac dfrac tfrac cfrac binom dbinom tbinom ' +
    'gcd lcm max min det'
  ).split(' '),
);

const greek =
  'alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota ' +
  'kappa lambda mu nu xi rho sigma tau phi varphi chi psi omega';
const greekSigns = 'α β γ δ ε ε ζ η θ θ ι κ λ μ ν ξ ρ σ τ φ φ χ ψ ω';
const capitals = 'Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega';
const capitalSigns = 'Γ Δ Θ Λ Ξ Π Σ Φ Ψ Ω';

/** Letters and constants, by command and character. */
export const symbols = new Map<string, string>([
  ...named(greek, greekSigns),
  ...named(capitals, capitalSigns),
  ...['pi', 'π'].map((name): [string, string] => [name, 'π']),
  ...['infty', 'infinity', 'inf', '∞'].map((name): [string, string] => [name, '∞']),
  ...['emptyset', 'varnothing', '∅', 'Ø'].map((name): [string, string] => [name, '∅']),
  ...['ldots', 'dots', 'cdots', '…', '⋯'].map((name): [string, string] => [name, '…']),
  ['ell', 'ℓ'],
  ['hbar', 'ℏ'],
  ['imath', 'i'],
  ['ℝ', 'ℝ'],
  ['ℤ', 'ℤ'],
]);

function named(names: string, signs: string): [string, string][] {
  const written = signs.split(' ');
  return names.split(' ').flatMap((name, i): [string, string][] => [
    [name, written[i]],
    [written[i], written[i]],
  ]);
}

export const vulgarFractions = new Map<string, Fraction>(
  [
    ['½', 1, 2],
    ['⅓', 1, 3],
    ['⅔', 2, 3],
    ['¼', 1, 4],
    ['¾', 3, 4],
    ['⅕', 1, 5],
    ['⅖', 2, 5],
    ['⅗', 3, 5],
    ['⅘', 4, 5],
    ['⅙', 1, 6],
    ['⅚', 5, 6],
    ['⅛', 1, 8],
    ['⅜', 3, 8],
    ['⅝', 5, 8],
    ['⅞', 7, 8],
  ].map(([sign, a, b]) => [String(sign), new Fraction(Number(a), Number(b))]),
);
