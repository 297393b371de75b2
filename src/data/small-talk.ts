import { statedAnswer } from './stated';

/** Replies of small talk are shorter than this. */
const longest = 200;

const greetings =
  'hi|hello|hey|howdy|good (?:morning|afternoon|evening|day)|thanks|thank you|' +
  'hola|bonjour|salut|hallo|guten tag|ciao|привет|你好|您好|こんにちは|안녕';
const greeting = new RegExp(`^(?:${greetings})(?![\\p{L}\\p{N}])`, 'iu');
const offer =
  /\b(?:help you|assist you|happy to|glad to|pleased to|go ahead|i(?:'m| am) ready|you(?:'re| are) welcome)\b/iu;
const tasks =
  'find|solve|prove|show|name|explain|calculate|compute|determine|simplify|' +
  'give|write|list|describe|translate|evaluate|complete|factor|which|what';
const task = new RegExp(`(?:^|[.!,:]\\s+)(?:please )?(?:${tasks})\\b`, 'iu');
/** Questions about the assistant itself. */
const aboutAssistant =
  /\b(?:are you|your (?:name|day)|help me|do you (?:do|like|speak|know me)|(?:can|could|will|would) you (?:please )?(?:help|assist|do|hear))\b|[你您]/iu;
const mathematics = /[=<>≤≥\\$^+]/u;

/**
 * Whether an exchange is small talk, such as "Hi!" and "Hello! What can I do for you?": a short one without numbers and
 * formulas, whose reply greets, offers help or asks back, or that asks for nothing but the assistant itself. "Is pi
 * rational?" and "No." are not.
 */
export function isSmallTalk(user: string, assistant: string): boolean {
  if (assistant.length >= longest || /\p{N}/u.test(user + assistant)) return false;
  if (mathematics.test(user + assistant) || statedAnswer(assistant) !== null) return false;
  const reply = assistant.trim();
  if (/[?？؟]$/.test(reply) || greeting.test(reply) || offer.test(reply)) return true;
  return !(/[?？؟]/.test(user) || task.test(user)) || aboutAssistant.test(user);
}
