import { describe, expect, it } from 'vitest';
import { UserError } from '../errors';
import { thrown } from '../testing/errors';
import { chatTemplateOf, renderChat } from './chat-template';
import { promptStyle, withPrompts } from './prompting';
import { tinyTokenizer } from './testing/tiny';
import { makeTokenizer } from './tokenizer';

const { json, config } = tinyTokenizer();

/** Frames messages as ChatML does, with the tiny tokenizer's <|mark|> for the end of a turn. */
const template =
  "{% for message in messages %}{{ message['role'] + ':' + message.content + '<|mark|>' }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";
const student = (changes: object = {}) => makeTokenizer(json, { ...config, chat_template: template, ...changes });

describe('the style of auto', () => {
  it('is chat for a student that ends its texts as its template ends a turn', () => {
    expect(promptStyle(student({ eos_token: '<|mark|>' }), {})).toBe('chat');
    expect(promptStyle(makeTokenizer(json, { ...config, chat_template: template }, [1]), {})).toBe('chat');
  });

  it('is plain for a base student, with the template of its sibling or without one', () => {
    expect(promptStyle(student(), {})).toBe('plain');
    expect(promptStyle(makeTokenizer(json, config), {})).toBe('plain');
    expect(promptStyle(student({ chat_template: '{{ messages[-1].content }}', eos_token: '<|mark|>' }), {})).toBe(
      'plain',
    );
  });

  it('is the requested one instead', () => {
    expect(promptStyle(student(), { prompt: 'chat' })).toBe('chat');
    expect(promptStyle(student({ eos_token: '<|mark|>' }), { prompt: 'plain' })).toBe('plain');
  });
});

describe('prompts', () => {
  it('are the frame of the template, and completions end as turns do', () => {
    const plain = student();
    const chat = withPrompts(plain, { prompt: 'chat', system: 'Be brief.' });
    expect(chat.tokenTexts(chat.encodePrompt('Question: 1 + 1?\nSolution:\n')).join('')).toBe(
      'system:Be brief.<|mark|>\nuser:Question: 1 + 1?\nSolution:<|mark|>\nassistant:',
    );
    expect(chat).toMatchObject({ eosId: 1, eosIds: [1, 0] });
    expect(plain).toMatchObject({ eosId: 0, eosIds: [0] });
    expect(withPrompts(plain, { prompt: 'plain' })).toBe(plain);
  });

  it('need a template', () => {
    expect(() => withPrompts(makeTokenizer(json, config), { prompt: 'chat' })).toThrow(/no chat template/);
  });
});

describe('templates', () => {
  const render = (source: string, messages = [{ role: 'user' as const, content: 'Hi' }]) =>
    renderChat(chatTemplateOf({ ...config, chat_template: source }, 'tokenizer_config.json')!, messages, true);
  const refusal = (source: string): UserError => {
    const started = process.cpuUsage();
    const error = thrown(UserError, () => render(source));
    const { user, system } = process.cpuUsage(started);
    expect(user + system).toBeLessThan(8e6);
    return error;
  };

  it('know the special tokens, ranges, namespaces and a fixed date', () => {
    expect(render('{{ eos_token }}{{ bos_token is defined }}')).toBe('<|endoftext|>false');
    expect(render('{% for i in range(2, 8, 3) %}{{ i }},{% endfor %}{{ range(2) | length }}')).toBe('2,5,2');
    expect(render('{% set n = namespace(a=1) %}{% set n.a = 2 %}{{ n.a }}')).toBe('2');
    expect(render('{{ strftime_now("%d %b %Y") }}')).toBe('26 Jul 2024');
    expect(render('{{ strftime_now("%A, %-d %B, %H:%M") }}')).toBe('Friday, 26 July, 00:00');
  });

  it('may be one of several', () => {
    const several = [
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'chat' },
    ];
    expect(chatTemplateOf({ chat_template: several }, 'file')?.source).toBe('chat');
    expect(chatTemplateOf({ chat_template: 7 }, 'file')).toBeNull();
  });

  it.each([
    [
      'loops without end',
      '{% for i in range(10000) %}{% for j in range(10000) %}x{% endfor %}{% endfor %}',
      /20000 steps/,
    ],
    ['counts far', '{% for i in range(10000000000) %}x{% endfor %}', /counts to 10000000000/],
    [
      'doubles a text',
      '{% set n = namespace(s="xy") %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}',
      /a value of/,
    ],
    [
      'doubles a list',
      '{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}',
      /a value of/,
    ],
    [
      'squares a text',
      `{% set n = namespace(s="${'x'.repeat(64)}") %}{% for i in range(9) %}{% set n.s = n.s.replace("x", n.s) %}{% endfor %}`,
      /a value of/,
    ],
    [
      'loops over nothing',
      '{% set r = range(19000) %}{% for i in r %}{% for j in r %}{% endfor %}{% endfor %}',
      /steps/,
    ],
    [
      'sorts forever',
      '{% set r = range(9000, 0, -1) %}{% for i in r %}{% set x = r|sort %}{% endfor %}',
      /long values|3 s/,
    ],
    ['is made of line ends', '\n'.repeat(200_000), /line ends in a row/],
    ['is made of spaces and tags', `${' '.repeat(249)}{%`.repeat(1000), /cannot be used/],
    [
      'writes without end',
      '{% for i in range(15000) %}{{ "x" * 60000 }}{{ messages[0].content.ljust(60000) }}{{ x }}{% endfor %}',
      /cannot be used/,
    ],
    [
      'writes much',
      `{% set s = "${'x'.repeat(60_000)}" %}{% for i in range(9000) %}{{ s }}{% endfor %}`,
      /too many long values/,
    ],
    ['calls itself', '{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}', /steps|call stack/],
    ['is not Jinja', '{% for %}', /cannot be used/],
    ['gives up', '{{ raise_exception("roles must alternate") }}', /it says: roles must alternate/],
    ['reaches for the program', "{{ messages.constructor.constructor('return process')().pid }}", /cannot be used/],
    ['reaches for Python', "{{ ''.__class__.__mro__[1].__subclasses__() }}", /cannot be used/],
    ['is huge', 'x'.repeat(300_000), /the maximum is 262144/],
  ])('are refused: one that %s', (_, source, message) => {
    expect(refusal(source)).toMatchObject({ file: 'tokenizer_config.json' });
    expect(refusal(source).message).toMatch(message);
  });
});
