/** Common names of the columns of datasets. */

/**
 * Common names, in order of preference: GSM8K, MATH, MetaMathQA, OpenR1-Math, NuminaMath, OpenMathReasoning,
 * OpenThoughts, s1K, DAPO, Alpaca, ShareGPT, TRL's formats and others.
 */
export const usual = {
  question: [
    ...['question', 'problem', 'query', 'prompt', 'problem_statement', 'question_text', 'input_text', 'instruction'],
    ...['question.stem', 'question_stem', 'input', 'user', 'task', 'exercise', 'context_messages', 's_question'],
    ...['frage', 'aufgabe', 'pregunta', 'problema', 'domanda', 'вопрос'],
    ...['问题', '題目', '题目', '質問', '問題', '질문'],
  ],
  answer: [
    ...['answer', 'final_answer', 'expected_answer', 'correct_answer', 'reference_answer', 'gold_answer', 'gold'],
    ...['ground_truth', 'reward_model.ground_truth', 'target', 'answers', 'label', 'numerical_answer'],
    ...['answer_key', 'gt'],
    ...[
      'answer.value',
      'answer.text',
      'answer.answer',
      'answer.final_answer',
      'answers.text',
      'solution',
      'l_solutions',
    ],
    ...['antwort', 'respuesta', 'réponse', 'risposta', 'resposta', 'ответ', '答案', '回答', '답', '정답'],
  ],
  /** For multiple choice, if there are choices. */
  key: [
    'correct',
    'correct_option',
    'correct_choice',
    'correct_index',
    'correct_idx',
    'answer_index',
    'answer_idx',
    'cop',
  ],
  choices: ['choices', 'options', 'answer_choices', 'question.choices', 'question.options', 'multiple_choice_options'],
  chain: [
    ...['chain', 'generations', 'generated_solution', 'generation', 'chain_of_thought', 'cot', 'teacher_cot'],
    ...['rationale', 'response', 'responses', 'completion', 'completions', 'attempt', 'deepseek_attempt', 'solution'],
    ...['cots', 'solutions', 'output', 'outputs', 'samples', 'candidates', 'traces', 'trajectories', 'explanation'],
    ...['chosen', 'assistant', 'model_output', 'r1_generation', 'steps', 'reasoning_steps', 'solution_steps', 'exp'],
    ...['lösung', 'lösungsweg', 'solución', 'soluzione', 'solução', 'решение', '解析', '解答', '解説', '풀이'],
  ],
  thinking: [
    ...['thinking_trajectories', 'thinking_trajectory', 'deepseek_thinking_trajectory', 'thinking', 'thought'],
    ...['thoughts', 'reasoning_content', 'reasoning', 'deepseek_reasoning', 'think', 'reasoning_trace'],
    ...['reasoning_traces', 'reasoning_text', 'reasoning_process', 'thinking_process', 'thought_process'],
    ...['thinking_content', 'cot_content'],
  ],
  /** Text after the thinking: a chain if it states an answer. */
  reply: [
    ...['content', 'text', 'message', 'reply', 'final', 'final_response', 'final_output', 'response_content'],
    ...['answer_content', 'output_text', 'response_text', 'summary', 'extra_info.answer', 'extra_info.solution'],
  ],
  system: ['system', 'system_prompt', 'system_message'],
  student: ['student', 'student_response', 'student_answer'],
  id: ['id'],
} as const;

/** Columns with both a question and its answer. */
export const conversations = [
  ...['messages', 'conversations', 'conversation', 'dialogue', 'dialog', 'chat', 'items', 'turns'],
  ...['text', 'content', 'formatted', 'formatted_text', 'chosen', 'sample', 'example'],
];

/** Columns with a text that the question refers to: SVAMP's body, Dolly's context. */
export const stories = ['body', 'context', 'passage', 'story', 'background'];

/** Columns that may contain a whole row, whose fields are then considered too. */
const containers = ['data', 'row', 'item', 'record', 'extra_info', 'meta', 'metadata', 'reward_model'];

/** "Final Answer" of a spreadsheet and finalAnswer of a program are both final_answer. */
export const plainName = (name: string) =>
  name
    .trim()
    .replace(/(?<=\p{Ll})(?=\p{Lu})/gu, '_')
    .toLowerCase()
    .replace(/[ -]+/g, '_');

/**
 * Endings of less common names: worked_solution, teacher_reasoning, math_problem. Names for wrong or student answers
 * are excluded.
 */
export const endings = {
  question: /_(question|problem|query|prompt)$/,
  answer: /_(answer|ground_truth)$|^(gold|ground_truth|reference|expected|golden)_/,
  chain:
    /_(?:solution|reasoning|rationale|explanation|chain|cot|chain_of_thought|response|completion|generation|trace)s?$/,
};
const otherwise =
  /(^|_)(rejected|wrong|incorrect|bad|negative|student|predicted|pred|original|old|previous|num|is|has)_/;

export const endsAs = (ending: RegExp, name: string) =>
  ending.test(plainName(name)) && !otherwise.test(plainName(name));

/** Columns of one choice each: A, option_b, opc, choice4. */
export const choiceColumn = /^(?:(?:option|choice|opt|op|ans)_?([a-h]|\d)|([a-h]))$/;

/** Columns with verdicts on generations: right or wrong, as a word or a score of 0 or 1; complete or cut off. */
export const verdicts = {
  right: /correct|verif|verdict|is_right/i,
  score: /(?:^|_)(?:scores?|rewards?|pass(?:ed)?)$/i,
  complete: /complete|finished/i,
  finish: /finish_reason/i,
};

/** `label` and `labels` are the verdicts of TRL's formats. */
export const isVerdictColumn = (name: string) =>
  /^labels?$/i.test(name) || Object.values(verdicts).some((pattern) => pattern.test(name));

/** Column names used for guessing; other columns need not be read. */
export const isUsualColumn = (name: string) => {
  const plain = plainName(name);
  return (
    [...conversations, ...stories, ...containers].includes(plain) ||
    Object.values(usual).some((names) => names.some((one) => one.split('.')[0] === plain)) ||
    Object.values(endings).some((ending) => endsAs(ending, name)) ||
    choiceColumn.test(plain) ||
    isVerdictColumn(name)
  );
};
