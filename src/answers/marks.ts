/** Phrases that announce an answer, in English and other languages. */

/** Words for "answer" in scripts with and without spaces between words. Longer ones first. */
const words = [
  'answer|ans|Respuesta|Solución|Resultado|Antwort|Lösung|Ergebnis|Réponse|Résultat|Risposta|Resposta|Antwoord|Svar|Vastaus',
  'Odpowiedź|Odpověď|Válasz|Răspuns|Cevap|Yanıt|Jawaban|Jawapan|Ответ|Відповідь|Απάντηση|תשובה|الجواب|الإجابة|الاجابة|پاسخ',
  'Odgovor|Odpoveď|Отговор|Одговор|Жауап|Sagot|Jibu|Atsakymas|Atbilde|Vastus|Erantzuna|Cavab|Javob|Ateb|Freagra',
  'उत्तर|উত্তর|பதில்|విடை|సమాధానం|ഉത്തരം|ಉತ್ತರ|જવાબ|ਜਵਾਬ|جواب|პასუხი|Պատասխան|Đáp án|Đáp số|Trả lời|정답|답',
].join('|');
const unspaced = '最终答案|最終答案|答案|答え|解答|回答|答|คำตอบ';
const bare = 'उत्तर|উত্তর|பதில்|సమాధానం|válasz|ответ|الجواب|الإجابة|התשובה';
const anyWord = `(?:(?<![\\p{L}\\p{N}])(?:${words})|${unspaced})`;
const dress = '[ \\t*_#"”]{0,8}';

/** "Answer:", "**Final Answer**:", "ANSWER = ", "Respuesta final:", "答案：", "答案是", "答えは". */
export const answerLine = new RegExp(
  `${anyWord}\\.?(?:[ \\t]{1,3}(?:final|finale|finala|definitiva|định))?${dress}(?:[:：=]|应?[该該]?[是为為]|は|은|는|คือ)`,
  'giu',
);

/** "Answer - 42" at the start of a line, and a line that consists of "Final Answer" or "### Answer". */
export const answerHeading = new RegExp(
  '(?<=^|\\n)[ \\t>#*_-]{0,8}(?:final[ \\t]|correct[ \\t])?(?:answer|ans)' +
    `(?:${dress}(?=\\n|$)|[ \\t*_]{0,8}[-–—](?=[ \\t]))`,
  'giu',
);
export const headingMarks = new RegExp(
  `(?<=^|\\n)[ \\t]{0,4}(?:#{1,6}[ \\t]{0,4}|\\*\\*)${anyWord}[ \\t*_#]{0,8}(?=\\n|$)`,
  'giu',
);

/** "the answer is", "John's answer would be", "the correct option is", and equivalents in some other languages. */
export const answerPhrase = new RegExp(
  [
    '(?<![\\p{L}\\p{N}])answer[ \\t]{1,4}(?:to[ \\t](?:the|this)[ \\t](?:question|problem)[ \\t]{1,4})?' +
      '(?:is|was|becomes|equals|(?:would|will|should|must|can only)[ \\t]be|' +
      '(?:comes|works)[ \\t](?:out[ \\t])?(?:to|as))',
    '(?<![\\p{L}\\p{N}])(?:correct|right|best)[ \\t](?:option|choice)[ \\t]is',
    '(?<![\\p{L}\\p{N}])(?:respuesta[ \\t](?:(?:final|correcta)[ \\t])?es|antwort[ \\t](?:ist|lautet)|' +
      'ist[ \\t](?:also[ \\t]|daher[ \\t]|somit[ \\t])?die[ \\t](?:richtige[ \\t])?antwort|' +
      'réponse[ \\t](?:(?:finale|correcte)[ \\t])?est|risposta[ \\t](?:(?:finale|corretta)[ \\t])?è|' +
      'resposta[ \\t](?:(?:final|correta|certa)[ \\t])?é|jibu[ \\t]ni|উত্তর(?:টি)?[ \\t](?:হল|হলো|হচ্ছে)|' +
      'antwoord[ \\t]is|odpowiedź[ \\t]to|odpověď[ \\t]je|răspunsul[ \\t]este|svaret[ \\t](?:är|er)|' +
      'vastaus[ \\t]on|ответ[ \\t](?:равен|это)|απάντηση[ \\t]είναι|(?:đáp[ \\t](?:án|số)|trả[ \\t]lời)[ \\t]là|' +
      'jawaban(?:nya)?[ \\t](?:akhir[ \\t])?adalah|(?:الجواب|الإجابة)[ \\t](?:النهائي[ \\t]|النهائية[ \\t])?(?:هو|هي)|' +
      'התשובה[ \\t]היא|ответ[ \\t]{0,2}[–—])',
    // Languages that put the number directly after the word; not "उत्तर 1: ...".
    `(?:(?<![\\p{L}\\p{N}])(?:${bare})|答え|答案)(?=[ \\t]{1,3}[-−$\\\\]?\\p{Nd}(?!\\p{Nd}{0,2}[ \\t]?[:：)]))`,
  ]
    .map((phrase) => `${phrase}(?![\\p{L}\\p{N}])[ \\t]{0,3}:?`)
    .concat('(?:故|应|因此|所以)(?:本题)?选(?:择)?(?:[ \\t]?[:：])?(?=[ \\t]{0,3}[A-H](?![a-zA-Z]))')
    .join('|'),
  'giu',
);

/** The point at which a base model has finished with the question and invents the next one. */
export const nextQuestion =
  /\n[ \t>#*]{0,8}(?:(?:next[ \t])?(?:question|problem|exercise|instruction|user|human|pregunta|frage|вопрос|aufgabe|problème)(?:[ \t]{0,3}\d{1,4})?[ \t*]{0,4}[:：]|Q[ \t]?\d{0,4}[:：]|(?:问题|問題|题目|질문)\s?\d{0,4}[:：]|#{2,6}[ \t](?:Instruction|Question|Problem|User)\b)|<\|(?:im_start|start_header_id)\|>|<\|im_end\|>|<\|eot_id\|>|<\|endoftext\|>|<end_of_turn>|<｜User｜>/gi;

/** Words that reject the value before them: "\boxed{41} would be wrong". */
export const takenBack =
  /^[^.\n\\]{0,20}\b(?:is|would be|was|are)\s+(?:not\b|wrong|incorrect|false|too (?:big|small|large|high|low))/i;
