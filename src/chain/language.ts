/** Writing systems other than the Latin one. */
const scripts: Record<string, RegExp> = {
  han: /\p{Script=Han}/gu,
  kana: /[\p{Script=Hiragana}\p{Script=Katakana}]/gu,
  hangul: /\p{Script=Hangul}/gu,
  cyrillic: /\p{Script=Cyrillic}/gu,
  greek: /\p{Script=Greek}/gu,
  arabic: /\p{Script=Arabic}/gu,
  hebrew: /\p{Script=Hebrew}/gu,
  devanagari: /\p{Script=Devanagari}/gu,
  thai: /\p{Script=Thai}/gu,
};

/** Words of at least two letters that nearly every text of a language contains and none of the other languages has. */
const functionWords: Record<string, ReadonlySet<string>> = Object.fromEntries(
  Object.entries({
    english:
      'the of and is are was were how many much each she he they there with ' +
      'for her his has have had this that then so we total more less than left ' +
      'from all in it if to gives makes gets after now per',
    french:
      'le les des du une et est sont combien chaque elle il ils avec pour dans ce cette donc ' +
      'nous au aux a ont sur reste plus moins que qui en par après réponse étape',
    german:
      'der die das den dem ein eine und ist sind wie viele jede jeder sie er es mit für im dann also ' +
      'wir hat haben noch bleiben insgesamt von nach mehr als zusammen antwort schritt',
    spanish:
      'el los las una y es son cuántos cuántas cada ella con para en esta este entonces tiene ' +
      'tienen hay quedan del más menos que por después respuesta paso cuesta total son',
    italian:
      'il gli le una e è sono quanti quante ogni lei lui con per nel nella questo quindi ' +
      'ha hanno restano del della più meno che dopo risposta passo costa',
    portuguese:
      'o os uma e é são quantos quantas cada ela ele com para em no na este então tem ' +
      'têm sobram do da mais menos que depois resposta passo custa ao',
    dutch:
      'de het een en is zijn hoeveel elke ze hij met voor in dan dus we heeft ' +
      'hebben blijven van na meer minder totaal per antwoord stap',
    polish: 'i w z na jest są ile każdy ona on ma mają więc razem zostaje po od do nie to krok odpowiedź kosztuje',
    turkish: 've bir bu kaç her o ile için var toplam kalan sonra daha adım cevap eder olur',
    vietnamese: 'và là có bao nhiêu mỗi cô ấy anh với cho trong còn lại của sau hơn bước đáp án số',
    indonesian:
      'dan adalah berapa setiap dia dengan untuk dalam jadi kita memiliki ada dari setelah lebih langkah jawaban',
  }).map(([name, words]) => [name, new Set(words.split(' '))]),
);

const countOf = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;
const fewestLetters = 4;

/** The non-Latin scripts of at least a fifth of a text's letters. */
function foreignScripts(text: string): string[] {
  const letters = countOf(text, /\p{L}/gu);
  return Object.keys(scripts).filter((name) => {
    const count = countOf(text, scripts[name]);
    return count >= fewestLetters && count * 5 >= letters;
  });
}

/** The language of a text in Latin letters, judged by function words; null if there are too few. */
function latinLanguage(text: string): string | null {
  const words = text.toLowerCase().match(/\p{L}{2,}/gu) ?? [];
  const counts = Object.entries(functionWords)
    .map(([name, known]) => ({ name, count: words.filter((word) => known.has(word)).length }))
    .sort((a, b) => b.count - a.count);
  const [first, second] = counts;
  return first.count >= 3 && first.count > 1.4 * second.count ? first.name : null;
}

/** Whether a text is in another language than all of the sources. False if unknown. */
export function isForeign(text: string, sources: readonly string[]): boolean {
  if (!sources.some((source) => /\p{L}/u.test(source))) return false;
  const known = new Set(sources.flatMap(foreignScripts));
  if (foreignScripts(text).some((script) => !known.has(script))) return true;
  const language = latinLanguage(text);
  const languages = sources.map(latinLanguage);
  const isEnglish = languages.every((one) => one === null || one === 'english');
  if (isEnglish && /\b(?:for|the|is|of|and|solve|find|what)\b/i.test(sources[0])) languages[0] = 'english';
  return language !== null && !languages.includes(null) && !languages.includes(language);
}
